/**
 * Ends a git child when its remote stops answering.
 *
 * Invariants
 * - Only silence counts. Any output, and any transfer that signs-of-life.ts sees, restarts the time.
 * - Time in which this process was stopped hardly counts, because git was stopped as well.
 * - Every process that git started ends with it: SIGTERM first, so that git removes its lock files, then SIGKILL.
 */
import type { ChildProcess } from 'node:child_process'
import { isRunning, listProcessTree, signalProcesses, type TreeProcess } from '../process-tree.ts'
import { readSigns, type SignsOptions } from './signs-of-life.ts'

export interface SilenceOptions extends SignsOptions {
  /** Longest time without a sign of life. Milliseconds; 0 waits for ever. */
  readonly silenceMsMax: number
}

/** Time for git's cleanup between SIGTERM and SIGKILL. */
const cleanUpMsMax = 2000
/** How long pipes may stay open after git exits. An ssh that git leaves running for the next connection holds them for hours. */
const openPipesMsMax = 5000
/** Time for the end of a killed git to be noticed before its silence is reported. */
const reportMsMax = 200
const pollMsMax = 2000
const pollMsMin = 20

/** A watch over one child. */
export interface Silence {
  /** Starts the watch. Call it as soon as the child runs. */
  readonly watch: (child: ChildProcess) => void
  /** Notes that the child printed something. */
  readonly heard: () => void
  /** Whether the child was ended for its silence. */
  readonly isOver: boolean
  /** Resolves after the child was ended for its silence, once everything possible was done to end it. */
  readonly gone: Promise<void>
  /** Ends the child and every process below it. */
  readonly end: () => void
  /** Stops the watch. */
  readonly stop: () => void
}

interface Sample {
  readonly text: string
  readonly busyMs: number
  /** Time without a sign of life so far. */
  readonly silentMs: number
  readonly atMs: number
}

export function openSilence({ silenceMsMax, ...options }: SilenceOptions): Silence {
  const pollMs = Math.min(pollMsMax, Math.max(pollMsMin, silenceMsMax / 10))
  const timers = new Set<NodeJS.Timeout>()
  let child: ChildProcess | undefined
  let outputs = 0
  let isOver = false
  let isStopped = false
  let resolveGone: () => void = () => {}
  const gone = new Promise<void>((resolve) => {
    resolveGone = resolve
  })

  function after(delayMs: number, work: () => void): void {
    // The child may exit later; it must not keep this process waiting.
    if (isStopped) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, delayMs)
    timers.add(timer)
  }

  function poll(pid: number, before: Sample): void {
    const signs = readSigns(listProcessTree(pid), options)
    const text = `${outputs}\n${signs.text}`
    const { busyMs } = signs
    const atMs = performance.now()
    const passedMs = Math.min(atMs - before.atMs, 2 * pollMs)
    // A waiting process uses some processor time as well, but little.
    const isBusy = busyMs - before.busyMs > passedMs / 4
    const isAlive = isBusy || text !== before.text || signs.isWaiting || mayBePrompting()
    const silentMs = isAlive ? 0 : before.silentMs + passedMs
    if (silentMs < silenceMsMax) after(pollMs, () => poll(pid, { text, busyMs, silentMs, atMs }))
    else {
      isOver = true
      end()
    }
  }

  /** Only Linux shows a prompt on the terminal. Elsewhere git may be prompting until its first output. */
  function mayBePrompting(): boolean {
    return options.isInteractive && outputs === 0 && process.platform !== 'linux'
  }

  function end(): void {
    const pid = child?.pid
    if (pid === undefined) return
    const tree = listProcessTree(pid)
    signalProcesses(tree, 'SIGTERM')
    killWhenLate(pid, tree, performance.now() + cleanUpMsMax)
  }

  function killWhenLate(pid: number, tree: readonly TreeProcess[], deadlineMs: number): void {
    const left = tree.filter(isRunning)
    if (left.length > 0 && performance.now() < deadlineMs) {
      after(pollMsMin, () => killWhenLate(pid, tree, deadlineMs))
      return
    }
    // The cleanup may have started more processes.
    signalProcesses([...left, ...listProcessTree(pid)], 'SIGKILL')
    closePipes()
    // A process stuck in the kernel must not keep ours alive.
    child?.unref()
    after(reportMsMax, resolveGone)
  }

  function closePipes(): void {
    for (const pipe of [child?.stdin, child?.stdout, child?.stderr]) pipe?.destroy()
  }

  return {
    watch(started) {
      child = started
      const { pid } = started
      started.once('exit', () => after(openPipesMsMax, closePipes))
      if (pid !== undefined && silenceMsMax > 0) {
        after(pollMs, () => poll(pid, { text: '', busyMs: 0, silentMs: 0, atMs: performance.now() }))
      }
    },
    heard() {
      outputs += 1
    },
    get isOver() {
      return isOver
    },
    gone,
    end,
    stop() {
      isStopped = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
