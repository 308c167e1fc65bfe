/** The program of the thread of line-thread.ts. */
import { createRequire } from 'node:module'
import { type MessagePort, workerData } from 'node:worker_threads'
import type * as bundle from '../../src/cli/bundle.ts'
import type { TextSink } from '../../src/cli/process-facts.ts'
import type { Outcome } from './grite-process.ts'

/** What the thread gets at its start. */
export interface ThreadData {
  readonly gritePath: string
  readonly port: MessagePort
  /** How many lines have ended: one number. */
  readonly ended: Int32Array
}

export interface Line {
  readonly words: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string
}

export interface LineAnswer {
  readonly outcome?: Outcome
  /** Thrown by the command line, which should not throw. */
  readonly error?: unknown
}

const { gritePath, port, ended } = workerData as ThreadData
const { main, createInterrupts, nodeProcessFacts } = (
  createRequire(import.meta.url)(gritePath) as { readonly bundle: typeof bundle }
).bundle

port.on('message', async (line: Line) => {
  const answer: LineAnswer = await run(line).then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({ error }),
  )
  port.postMessage(answer)
  Atomics.add(ended, 0, 1)
  Atomics.notify(ended, 0)
})

async function run({ words, cwd, env, stdin }: Line): Promise<Outcome> {
  const [stdout, stderr] = [collect(), collect()]
  const status = await main(words, {
    ...nodeProcessFacts(createInterrupts()),
    ...{ cwd: () => cwd, env, rawArguments: () => null, rawVariable: () => null },
    stdin: {
      isTerminal: false,
      async *chunks() {
        yield Buffer.from(stdin)
      },
    },
    ...{ stdout: stdout.sink, stderr: stderr.sink },
  })
  return { status, stdout: stdout.text(), stderr: stderr.text() }
}

function collect() {
  const parts: Buffer[] = []
  const sink: TextSink = {
    isTerminal: false,
    columns: () => undefined,
    rows: () => undefined,
    async write(text) {
      parts.push(Buffer.from(text))
    },
    async writeBytes(bytes) {
      parts.push(Buffer.from(bytes))
    },
    onUnread: () => () => undefined,
  }
  return { sink, text: () => Buffer.concat(parts).toString('utf8') }
}
