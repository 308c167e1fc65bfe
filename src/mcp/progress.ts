/** Progress of a command as notifications of MCP, whose value must grow with each. */
import type { CommandContext } from '../tracker/effects.ts'

export interface ProgressNotice {
  readonly progress: number
  readonly total?: number
  readonly message: string
}

/** Notifications that follow each other more closely tell nobody anything. Milliseconds. */
const pauseMs = 100

/** @param send - must not throw */
export function openProgress(
  nowUnixMs: () => number,
  send: (notice: ProgressNotice) => void,
): CommandContext['progress'] {
  let sent = 0
  let sentUnixMs = 0
  return (label) => {
    // Work in several parts counts on from the part before.
    const before = sent
    return {
      isShown: true,
      report(done, total) {
        const progress = before + done
        const now = nowUnixMs()
        if (progress <= sent || now - sentUnixMs < pauseMs) return
        sent = progress
        sentUnixMs = now
        send({ progress, ...(total === null ? {} : { total: before + total }), message: label })
      },
      end() {},
    }
  }
}
