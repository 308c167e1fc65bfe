import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Event } from '../../model/index.ts'
import { issueCodec, type LogProblem, readLog, verifyEventSignature, walRef } from '../../wal/index.ts'
import { defineCommand } from '../define-command.ts'
import { readPublicKeySync } from '../local/actors.ts'

const rebuildEventsMax = 10_000
const rebuildDaysMax = 7
const dayMs = 86_400_000
/** Errors that `db verify` lists unless asked for all. */
const errorsListedMax = 10

export const dbStats = defineCommand({
  name: 'db stats',
  summary: 'Show sizes and counts of the view',
  examples: [{ command: 'grite db stats --json', explains: 'for a script' }],
  arguments: {},
  options: {},
  async run(context) {
    const repository = await context.repository()
    const view = await repository.view()
    const path = repository.paths.viewLevels((await repository.findActor())?.actor.id)
    const rebuiltTs = numberOrNull(await view.readMeta('last_rebuild_ts'))
    const since = view.eventCount - Number((await view.readMeta('events_at_rebuild')) ?? 0)
    const days = rebuiltTs === null ? null : Math.floor((context.clock.nowUnixMs() - rebuiltTs) / dayMs)
    return {
      data: {
        path,
        size_bytes: await sizeOf(path),
        event_count: view.eventCount,
        issue_count: view.issueCount,
        last_rebuild_ts: rebuiltTs,
        events_since_rebuild: since,
        days_since_rebuild: days,
        rebuild_recommended: since > rebuildEventsMax || (days !== null && days > rebuildDaysMax),
        wal_head: view.head,
      },
    }
  },
})

function numberOrNull(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => fileSize(join(entry.parentPath, entry.name))),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function fileSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

export const dbCheck = defineCommand({
  name: 'db check',
  summary: 'Check every event of the log against its id',
  description: 'Reads the log itself, not the view. Exit status 1 when anything is damaged.',
  examples: [{ command: 'grite db check', explains: 'is the log sound?' }],
  arguments: {},
  options: {
    'verify-parents': { type: 'boolean', summary: 'Also check that replies name a comment of the same issue' },
  },
  async run(context, { verifyParents }) {
    const repository = await context.repository()
    const head = await repository.git.readRef(walRef)
    const progress = context.progress('Checking the log')
    const problems: LogProblem[] = []
    const issueOf = new Map<string, string>()
    const replies: Event[] = []
    let checked = 0
    if (head !== null) {
      for await (const segments of readLog(repository.git, issueCodec, { head })) {
        for (const segment of segments) {
          problems.push(...segment.problems)
          checked += segment.items.length
          if (!verifyParents) continue
          for (const { event } of segment.items) {
            issueOf.set(event.eventId, event.issueId)
            if (event.parent !== null) replies.push(event)
          }
        }
        progress.report(checked, null)
      }
    }
    progress.end()
    const errors = [
      ...problems.map(({ commit, objectId, eventId, severity, reason }) => ({
        event_id: eventId,
        issue_id: null,
        commit,
        object_id: objectId,
        severity,
        error: reason,
      })),
      ...replies
        .filter((event) => issueOf.get(event.parent as string) !== event.issueId)
        .map((event) => ({
          event_id: event.eventId,
          issue_id: event.issueId,
          commit: null,
          object_id: null,
          severity: 'damaged' as const,
          error: `parent ${event.parent} is not an event of the same issue`,
        })),
    ]
    const corrupt = errors.filter(({ severity }) => severity === 'damaged').length
    return {
      data: {
        events_checked: checked + corrupt,
        events_valid: checked,
        corrupt_count: corrupt,
        errors,
        wal_head: head,
      },
      exitStatus: corrupt > 0 ? 1 : 0,
    }
  },
})

export const dbVerify = defineCommand({
  name: 'db verify',
  summary: 'Verify the signatures of events',
  description: 'Uses the public keys of the actors of this clone. Unsigned events are counted, not wrong.',
  examples: [{ command: 'grite db verify --verbose', explains: 'list every signature that does not verify' }],
  arguments: {},
  options: { verbose: { type: 'boolean', summary: 'List all errors instead of the first ten' } },
  async run(context, { verbose }) {
    const repository = await context.repository()
    const view = await repository.view()
    const errors: { event_id: string; actor_id: string; error: string }[] = []
    const counts = { checked: 0, signed: 0, valid: 0, unsigned: 0 }
    for await (const event of view.allEvents()) {
      counts.checked += 1
      if (event.sig === null) {
        counts.unsigned += 1
        continue
      }
      counts.signed += 1
      const key = readPublicKeySync(repository.paths, event.actor)
      if (key !== undefined && verifyEventSignature(event.eventId, event.sig, key)) counts.valid += 1
      else {
        const error = key === undefined ? 'no public key of this actor is known here' : 'the signature does not verify'
        errors.push({ event_id: event.eventId, actor_id: event.actor, error })
      }
    }
    return {
      data: {
        events_checked: counts.checked,
        signatures_checked: counts.signed,
        signatures_valid: counts.valid,
        unsigned_count: counts.unsigned,
        error_count: errors.length,
        errors: verbose ? errors : errors.slice(0, errorsListedMax),
      },
      exitStatus: errors.some(({ error }) => error === 'the signature does not verify') ? 1 : 0,
    }
  },
})
