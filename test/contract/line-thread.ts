/**
 * Runs lines by the built command line in a thread of this process, which takes a fifth of the processor time of a process for
 * each. The caller waits for each line, as for a process.
 */
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { childProgram } from '../support/child-program.ts'
import type { RunLine } from './grite-process.ts'
import type { Line, LineAnswer, ThreadData } from './line-program.ts'

const gritePath = fileURLToPath(new URL('../../dist/grite.cjs', import.meta.url))
/** Time after which a line counts as hanging. */
const lineMsMax = 60_000
const pollMs = 50

interface Thread {
  readonly port: MessagePort
  readonly ended: Int32Array
}
let thread: Thread | undefined

export const runInThread: RunLine = (words, at) => {
  thread ??= startThread()
  const { port, ended } = thread
  port.postMessage({ words, ...at } satisfies Line)
  const answer = waitForAnswer(port, ended)
  if (answer === undefined) {
    // Its late answer must not be taken for that of the next line.
    thread = undefined
    throw new Error(`grite ${words.join(' ')} hangs`)
  }
  const { outcome, error } = answer
  if (outcome === undefined) throw error
  return outcome
}

/** Undefined when none comes in time. */
function waitForAnswer(port: MessagePort, ended: Int32Array): LineAnswer | undefined {
  const deadline = performance.now() + lineMsMax
  for (;;) {
    const before = Atomics.load(ended, 0)
    const found: { readonly message: LineAnswer } | undefined = receiveMessageOnPort(port)
    if (found !== undefined) return found.message
    const left = deadline - performance.now()
    if (left <= 0) return undefined
    // On a busy machine, a wait was once over before the message could be received.
    Atomics.wait(ended, 0, before, Math.min(left, pollMs))
  }
}

function startThread(): Thread {
  const { port1: port, port2 } = new MessageChannel()
  const ended = new Int32Array(new SharedArrayBuffer(4))
  const [program, ...options] = [...childProgram('test/contract/line-program.ts')].reverse()
  const workerData: ThreadData = { gritePath, port: port2, ended }
  const worker = new Worker(program as string, { workerData, transferList: [port2], execArgv: options.reverse() })
  worker.unref()
  port.unref()
  return { port, ended }
}
