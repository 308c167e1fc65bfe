import type { LockAcquireData, LockRenewData } from '../../commands/lock/acquire.ts'
import type { LockGcData } from '../../commands/lock/gc.ts'
import type { LockReleaseData } from '../../commands/lock/release.ts'
import type { LockStatusData } from '../../commands/lock/status.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatAbsoluteTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { renderTable } from './table.ts'

const verbs: Readonly<Record<string, string>> = { acquired: 'Acquired', renewed: 'Renewed', 'taken-over': 'Took over' }

/** `Acquired path:src for 5 min, in this clone` */
export const renderHeld: Renderer<LockAcquireData | LockRenewData> = (data, { quiet, style }) => {
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

export const renderReleased: Renderer<LockReleaseData> = (data, { quiet, style }) => {
  if (quiet) return ''
  if (data.outcome === 'unchanged') return `Nothing to release: you do not hold ${escapeLine(data.resource)}\n`
  return `${style.good('Released')} ${escapeLine(data.resource)} ${placeOf(data)}\n`
}

type LockRow = LockStatusData['locks'][number]

export const renderLockStatus: Renderer<LockStatusData> = async ({ locks, malformed }, view) => {
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
      { heading: 'Title', text: ({ title }) => title ?? '', shrink: 4, widthMin: 16, drop: 2, isProse: true },
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
  { ref, remote, problem }: LockStatusData['malformed'][number],
  { width, style }: RenderView,
): string {
  const where = remote === null ? '' : ` on ${escapeLine(remote)}`
  if (width === null) return `${escapeLine(ref)}\t${escapeLine(remote ?? '')}\tdamaged: ${escapeLine(problem ?? '')}\n`
  return `${style.bad('Damaged')} ${escapeLine(ref)}${where}: ${escapeLine(problem ?? '')}\n`
}

export const renderLockGc: Renderer<LockGcData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const kept = data.kept === 0 ? '' : `, kept ${data.kept}`
  return `${style.good('Removed')} ${formatCount(data.removed, 'lock')} ${placeOf(data)}${kept}\n`
}
