import type { ForgetData, RecallData, RememberData } from '../../commands/memory/memory.ts'
import { beadsImportActor } from '../../model/index.ts'
import { escapeLine, escapeText } from './escape-for-terminal.ts'
import { shorten } from './issue-shapes.ts'
import { formatMinute, formatRelativeTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { renderTable } from './table.ts'

type Memory = RecallData['memories'][number]

export const renderRemember: Renderer<RememberData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const { key, event_id, replaced } = data
  const name = `${style.accent(escapeLine(key))}${aboutIn(data, ' about ')}`
  if (event_id === null) return `Nothing to change in ${name}\n`
  const before = replaced === null ? '' : style.dim(`Replaced: ${escapeLine(excerpt(replaced))}\n`)
  return `${style.good('Saved')} ${name}\n${before}`
}

export const renderForget: Renderer<ForgetData> = ({ key, text }, { quiet, style }) =>
  quiet ? '' : `${style.good('Removed')} ${style.accent(escapeLine(key))} ${style.dim(escapeLine(excerpt(text)))}\n`

/** Characters of a text that was replaced or removed. */
const excerptLengthMax = 72

function excerpt(text: string): string {
  const letters = [...(text.split('\n')[0] ?? '')]
  const isCut = letters.length > excerptLengthMax || text.includes('\n')
  return isCut ? `${letters.slice(0, excerptLengthMax).join('')}…` : letters.join('')
}

export const renderRecall: Renderer<RecallData> = async (data, view) => {
  const { memories, total } = data
  const { style, quiet, width } = view
  if (memories.length === 0) {
    return quiet || width === null ? '' : 'No notes found. Run `grite remember <text>` to save one.\n'
  }
  if (width === null) return renderRows(memories, view)
  const more = total - memories.length
  const left = more === 0 || quiet ? '' : style.dim(`\nand ${more} more\n`)
  return memories.map((memory) => renderMemory(memory, view)).join('\n') + left
}

/** The key, what it is about, author and time on a line; then the text. */
function renderMemory(memory: Memory, { style, nowUnixMs }: RenderView): string {
  const { text, ts_unix_ms } = memory
  const facts = [
    ...(memory.about === null ? [] : [aboutIn(memory, 'about ')]),
    ...(whoIs(memory) === '' ? [] : [escapeLine(whoIs(memory))]),
    ...(isUndated(memory) ? [] : [formatRelativeTime(ts_unix_ms, nowUnixMs)]),
  ]
  const heading = `${style.accent(escapeLine(nameOf(memory)))}  ${style.dim(facts.join(', '))}`
  return `${heading}\n${escapeText(text.trimEnd()).replace(/^(?=.)/gm, '  ')}\n`
}

/** For `cut` and `awk`: key, what it is about, text, author, time. */
function renderRows(memories: readonly Memory[], view: RenderView): Promise<string> {
  return renderTable(
    memories,
    [
      { heading: 'Key', text: nameOf },
      { heading: 'About', text: ({ about }) => about ?? '' },
      { heading: 'Text', text: ({ text }) => text },
      { heading: 'By', text: whoIs },
      { heading: 'Saved', text: (memory) => (isUndated(memory) ? '' : formatMinute(memory.ts_unix_ms)) },
    ],
    view,
  )
}

function nameOf({ key, issue }: Memory): string {
  return key ?? `issue ${issue?.short_id ?? ''}`
}

function whoIs({ actor, actor_label }: Memory): string {
  return actor_label ?? (actor === null ? '' : shorten(actor))
}

/** An imported memory has no time of its own. */
const isUndated = ({ actor, key }: Memory): boolean => actor === beadsImportActor && key !== null

function aboutIn({ about, about_issue }: Pick<Memory, 'about' | 'about_issue'>, before: string): string {
  if (about === null) return ''
  const issue = about_issue === null ? '' : `${about_issue.short_id} ${about_issue.title}`
  return `${before}${escapeLine(issue === '' ? about : issue)}`
}
