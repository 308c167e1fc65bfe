import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatAbsoluteTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { renderTable } from './table.ts'

interface HeldData {
  readonly resource: string
  readonly outcome: string
  readonly ttl_seconds: number
  readonly level: string
  readonly remote: string | null
}

const verbs: Readonly<Record<string, string>> = { acquired: 'Acquired', renewed: 'Renewed', 'taken-over': 'Took over' }

/** `Acquired path:src for 5 min, in this clone` */
export const renderHeld: Renderer<HeldData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const verb = style.good(verbs[data.outcome] ?? data.outcome)
  return `${verb} ${escapeLine(data.resource)} for ${formatSpan(data.ttl_seconds)}, ${placeOf(data)}\n`
}

export function placeOf({ remote }: { readonly remote: string | null }): string {
  return remote === null ? 'in this clone' : `on ${escapeLine(remote)}`
}

/** `45 s`, `5 min`, `1 h 30 min`, `3 d` */
export function formatSpan(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  if (minutes >= 48 * 60) return `${Math.round(minutes / 1440)} d`
  const rest = minutes % 60
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`
}

interface ReleaseData {
  readonly resource: string
  readonly outcome: string
  readonly remote: string | null
}

export const renderReleased: Renderer<ReleaseData> = (data, { quiet, style }) => {
  if (quiet) return ''
  if (data.outcome === 'unchanged') return `Nothing to release: you do not hold ${escapeLine(data.resource)}\n`
  return `${style.good('Released')} ${escapeLine(data.resource)} ${placeOf(data)}\n`
}

interface LockRow {
  readonly resource: string
  readonly owner: string
  readonly owner_label: string | null
  readonly is_own: boolean
  readonly expires_unix_ms: number
  readonly time_remaining_seconds: number
  readonly state: string
  readonly kind: string
  readonly remote: string | null
  /** Of the issue that is locked; null for other resources. */
  readonly title?: string | null
  readonly short_id?: string | null
}

interface StatusData {
  readonly locks: readonly LockRow[]
  readonly malformed: readonly { readonly ref: string; readonly remote: string | null; readonly problem: string }[]
}

export const renderLockStatus: Renderer<StatusData> = async ({ locks, malformed }, view) => {
  const damaged = malformed.map((row) => renderMalformed(row, view)).join('')
  if (locks.length === 0) {
    const nothing = view.quiet || view.width === null ? '' : 'No locks.\n'
    return damaged === '' ? nothing : damaged
  }
  const table = await renderTable(
    locks,
    [
      {
        heading: 'Resource',
        text: ({ resource, short_id }) => (short_id ? `issue:${short_id}` : resource),
        plainText: ({ resource }) => resource,
        shrink: 1,
        widthMin: 16,
      },
      {
        heading: 'Holder',
        text: ({ owner, owner_label, is_own }) => `${owner_label ?? shorten(owner)}${is_own ? ' (you)' : ''}`,
        plainText: ({ owner }) => owner,
        shrink: 2,
        paint: (text, row) => (row.is_own ? view.style.accent(text) : text),
      },
      {
        heading: 'Ends',
        text: ({ state, time_remaining_seconds }) =>
          state === 'live' ? `in ${formatSpan(time_remaining_seconds)}` : state,
        plainText: ({ state, expires_unix_ms }) => (state === 'released' ? state : formatAbsoluteTime(expires_unix_ms)),
        paint: (text, { state }) => (state === 'live' ? view.style.attention(text) : view.style.dim(text)),
      },
      { heading: 'Where', text: whereOf, shrink: 3, drop: 1 },
      { heading: 'Title', text: ({ title }) => title ?? '', shrink: 4, widthMin: 16, drop: 2 },
    ],
    view,
  )
  return table + damaged
}

function whereOf({ remote, kind }: LockRow): string {
  if (remote === null) return 'this clone'
  return kind === 'lease' ? remote : `${remote}, by the Rust tool`
}

function renderMalformed(
  { ref, remote, problem }: StatusData['malformed'][number],
  { width, style }: RenderView,
): string {
  const where = remote === null ? '' : ` on ${escapeLine(remote)}`
  if (width === null) return `${escapeLine(ref)}\t${escapeLine(remote ?? '')}\tdamaged: ${escapeLine(problem)}\n`
  return `${style.bad('Damaged')} ${escapeLine(ref)}${where}: ${escapeLine(problem)}\n`
}

interface CollectedData {
  readonly removed: number
  readonly kept: number
  readonly remote: string | null
}

export const renderLockGc: Renderer<CollectedData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const kept = data.kept === 0 ? '' : `, kept ${data.kept}`
  return `${style.good('Removed')} ${formatCount(data.removed, 'lock')} ${placeOf(data)}${kept}\n`
}
