/**
 * Keys of calls that write. An agent that has cancelled a call, or whose client did so after a time, does not know whether it was
 * carried out, and makes the same call again: that call gets the key of the first, so that it is carried out once.
 */
import { formatHex } from '../model/index.ts'
import type { Clock, Random } from '../tracker/effects.ts'
import { formatJson } from '../tracker/export/json-pieces.ts'

interface Call {
  /** What makes two calls the same. */
  readonly same: string
  readonly key: string
  /** The call may still write for a moment. */
  readonly settled: Promise<void>
}

interface Cancelled extends Call {
  readonly atUnixMs: number
}

/** The id of a request. */
export type CallId = string | number

/** After this time, the same call is meant as another one. Milliseconds. */
const rememberedMs = 10 * 60_000
const rememberedMax = 100

export class RepeatedCalls {
  readonly #clock: Clock
  readonly #random: Random
  /** By what makes calls the same. */
  readonly #cancelled = new Map<string, Cancelled>()
  /** Calls that run, and the last that have ended: their answers may not have arrived. */
  readonly #known = new Map<CallId, Call>()

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  /** Runs a call under a key. */
  async run<Answer>(
    id: CallId,
    name: string,
    input: Readonly<Record<string, unknown>>,
    call: (request: { readonly key: string; readonly isRepeated: boolean }) => Promise<Answer>,
  ): Promise<Answer> {
    const same = `${name} ${formatJson(Object.entries(input).sort(byKey), 'compact')}`
    const before = this.#take(same)
    const key = before?.key ?? `${this.#clock.nowUnixMs()}-${formatHex(this.#random.bytes(16))}`
    const start = async () => {
      if (before !== undefined) await before.settled
      return call({ key, isRepeated: before !== undefined })
    }
    const running = start()
    const settled = running.then(
      () => {},
      () => {},
    )
    putLast(this.#known, id, { same, key, settled })
    return running
  }

  /** Nobody waits for the answer any more. */
  cancel(id: CallId): void {
    const call = this.#known.get(id)
    if (call === undefined) return
    this.#known.delete(id)
    putLast(this.#cancelled, call.same, { ...call, atUnixMs: this.#clock.nowUnixMs() })
  }

  #take(same: string): Cancelled | undefined {
    const found = this.#cancelled.get(same)
    this.#cancelled.delete(same)
    return found !== undefined && this.#clock.nowUnixMs() - found.atUnixMs < rememberedMs ? found : undefined
  }
}

/** Forgets the oldest entry of a full map. */
function putLast<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > rememberedMax && oldest !== undefined) map.delete(oldest)
}

const byKey = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
  left < right ? -1 : 1
