/** A progress bar on standard error for slow work; it appears after half a second and is erased at the end. */
import type { Progress } from '../tracker/effects.ts'
import type { ProcessFacts, TextSink } from './process-facts.ts'

const delayMs = 500
/** Redrawing more often is not visible and costs time. */
const redrawMs = 80
const barWidth = 24

const silent: Progress = { report: () => undefined, end: () => undefined }

export function openProgress(
  facts: Pick<ProcessFacts, 'stderr' | 'env' | 'nowUnixMs' | 'onInterrupt'>,
  quiet: boolean,
  label: string,
): Progress {
  if (quiet || !facts.stderr.isTerminal || facts.env.TERM === 'dumb') return silent
  const { stderr } = facts
  const startedUnixMs = facts.nowUnixMs()
  let drawnUnixMs = 0
  let drawn = false
  const end = () => {
    if (drawn) writeQuietly(stderr, '\r\x1b[K')
    drawn = false
    forget()
  }
  const forget = facts.onInterrupt(end)
  return {
    end,
    isShown: true,
    report(done, total) {
      const now = facts.nowUnixMs()
      if (now - startedUnixMs < delayMs || now - drawnUnixMs < redrawMs) return
      drawnUnixMs = now
      drawn = true
      writeQuietly(stderr, `\r\x1b[K${formatBar(label, done, total, stderr.columns() ?? 80)}`)
    },
  }
}

/** @returns at most `width - 1` columns, so that the line never wraps */
function formatBar(label: string, done: number, total: number | null, width: number): string {
  if (total === null || total <= 0) return `${label} ${done}`.slice(0, width - 1)
  const share = Math.min(1, Math.max(0, done / total))
  const filled = Math.round(share * barWidth)
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
  return `${label} ${bar} ${Math.floor(share * 100)}% ${done}/${total}`.slice(0, width - 1)
}

/** Ignores write errors: a failing progress bar must not stop the work. */
function writeQuietly(sink: TextSink, text: string): void {
  sink.write(text).catch(() => undefined)
}
