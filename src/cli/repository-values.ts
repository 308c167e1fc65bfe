/** Completion values from the repository: ids with titles, labels, assignees, actors, saved queries. */

import { type FieldKey, type IssueId, parseScopedLabel } from '../model/index.ts'
import { readSavedQueries } from '../tracker/issues/saved-queries.ts'
import { listActors } from '../tracker/local/actors.ts'
import { settings } from '../tracker/local/settings.ts'
import { readMemories } from '../tracker/memories/memories.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { shortIdLength, type View } from '../view/index.ts'
import { type CompletedKind, candidateCountMax } from './complete.ts'
import { createProcessContext, type OpenRepository } from './process-context.ts'
import type { ProcessFacts } from './process-facts.ts'
import { escapeLine } from './render/escape-for-terminal.ts'

/** Completion must not print anything else. */
const silently = { json: false, jsonIfWrong: false, pretty: undefined, quiet: true, noPager: true, noDaemon: false }

/** @returns lines `value<TAB>description` */
export async function repositoryValues(
  facts: ProcessFacts,
  openRepository: OpenRepository,
  kind: CompletedKind,
  prefix: string,
): Promise<readonly string[]> {
  const globals = { ...silently, actor: undefined, dataDir: undefined }
  const { context, close } = createProcessContext(facts, globals, {
    openRepository,
    warn: () => undefined,
    emit: async () => undefined,
    keepDraft: () => undefined,
  })
  try {
    return await valuesOf(await context.repository(), kind, prefix)
  } finally {
    await close().catch(() => undefined)
  }
}

async function valuesOf(repository: Workspace, kind: CompletedKind, prefix: string): Promise<readonly string[]> {
  switch (kind) {
    case 'actor': {
      const actors = await listActors(repository.paths)
      return actors.map(({ id, label }) => {
        const value = id.slice(0, Math.max(8, prefix.length))
        return label === null ? value : `${value}\t${escapeLine(label)}`
      })
    }
    case 'issue':
      return issueValues(await repository.view(), prefix)
    case 'label':
      return (await repository.view()).distinctWords('labels')
    case 'assignee':
      return (await repository.view()).distinctWords('assignees')
    case 'type':
    case 'status':
    case 'milestone':
      return fieldValues(await repository.view(), kind)
    case 'remote':
      return repository.remotes.listRemotes()
    case 'setting': {
      const { queries } = await readSavedQueries(await repository.view())
      return [
        ...settings.map(({ key, summary }) => `${key}\t${summary}`),
        ...queries.map(({ name }) => `query.${name}`),
      ]
    }
    case 'memory': {
      const { memories } = await readMemories(await repository.view())
      return memories.map(({ key, text }) => `${escapeLine(key)}\t${escapeLine(text.split('\n')[0] ?? '')}`)
    }
    case 'stream': {
      const streams = await (await repository.streams()).list()
      return streams
        .map(({ streamId }) => escapeLine(streamId))
        .filter((id) => id.startsWith(prefix))
        .slice(0, candidateCountMax)
    }
    case 'query': {
      const { queries } = await readSavedQueries(await repository.view())
      return queries.map(({ name, query }) => `${name}\t${escapeLine(query ?? '')}`)
    }
  }
}

/** The values of a field among the labels of issues. */
async function fieldValues(view: View, key: FieldKey): Promise<string[]> {
  const labels = await view.distinctWords('labels')
  return labels.flatMap((label) => {
    const field = parseScopedLabel(label)
    return field?.key === key ? [field.value] : []
  })
}

/** With a prefix, the matching issues; without one, the open issues, latest change first. */
async function issueValues(view: View, prefix: string): Promise<readonly string[]> {
  const ids = prefix === '' ? await latestOpen(view) : await view.findIdsByPrefix(prefix, candidateCountMax)
  const [rows, shortIds] = [await view.findRows(ids), await view.shortIds(ids, shortIdLength)]
  return ids.map((id) => {
    // A shell drops candidates that do not start with all typed characters.
    const length = Math.max(shortIds.get(id)?.length ?? 0, prefix.length)
    return `${id.slice(0, length)}\t${escapeLine(rows.get(id)?.title ?? '')}`
  })
}

async function latestOpen(view: View): Promise<IssueId[]> {
  const rows = await view.listIssues({ state: 'open' })
  rows.sort((left, right) => right.updated_ts - left.updated_ts)
  return rows.slice(0, candidateCountMax).map((row) => row.issue_id)
}
