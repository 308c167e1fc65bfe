import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import fc from 'fast-check'
import { ConflictError } from '../../../src/model/index.ts'
import type { StreamStore } from '../../../src/wal/streams/index.ts'
import { branching, creation, draft, id, local, memoryRepositoryIn, textsOf } from './store-setup.ts'

/** What a stream is to its user: a list of texts, and where each sequence of its producer stands. */
interface ToyStream {
  readonly texts: string[]
  readonly produced: Map<number, number>
}

type Step =
  | { readonly kind: 'append'; readonly process: number; readonly stream: number; readonly count: number }
  | { readonly kind: 'expect'; readonly process: number; readonly stream: number; readonly offset: number }
  | { readonly kind: 'produce'; readonly process: number; readonly stream: number; readonly sequence: number }
  | { readonly kind: 'branch'; readonly process: number; readonly stream: number; readonly at: number }
  | { readonly kind: 'seal'; readonly process: number; readonly stream: number }
  | { readonly kind: 'crash'; readonly process: number }

const process = fc.nat(1)
const stream = fc.nat(5)
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('append' as const), process, stream, count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('expect' as const), process, stream, offset: fc.nat(6) }),
    fc.record({ kind: fc.constant('produce' as const), process, stream, sequence: fc.nat(4) }),
    fc.record({ kind: fc.constant('branch' as const), process, stream, at: fc.nat(8) }),
    fc.record({ kind: fc.constant('seal' as const), process, stream }),
    fc.record({ kind: fc.constant('crash' as const), process }),
  ),
  { maxLength: 24 },
)

/** The first process repeats a sequence before it has seen the next one, which another process has appended. */
const repeatedBehindAnother = [0, 1, 0].map((process) => ({
  kind: 'produce' as const,
  ...{ process, stream: 0, sequence: process },
}))

it('any history reads like a list of texts, in every process and after a crash', async () => {
  await fc.assert(
    fc.asyncProperty(steps, (history) => run(history)),
    { numRuns: 40, examples: [[repeatedBehindAnother]] },
  )
})

async function run(history: readonly Step[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'grite-streams-'))
  const closers: (() => void | Promise<void>)[] = []
  const repository = memoryRepositoryIn({ after: (close) => closers.push(close as () => Promise<void>) }, dir)
  try {
    // A crashed process is one that is not used again: its journal and refs stay as they are.
    const processes = [repository.open(), repository.open()]
    const toys: ToyStream[] = [{ texts: [], produced: new Map() }]
    await processes[0]?.create(nameOf(0), creation)
    for (const [index, step] of history.entries()) {
      if (step.kind === 'crash') processes[step.process] = repository.open()
      else await take(processes[step.process] as StreamStore, toys, step, `r${index}`)
    }
    const reader = repository.open()
    for (const [index, { texts }] of toys.entries()) {
      for (const store of [reader, ...processes]) assert.deepEqual(await textsOf(store, nameOf(index)), texts)
      assert.equal((await reader.status(nameOf(index))).nextOffset, texts.length)
    }
    assert.deepEqual(repository.damage, [])
  } finally {
    for (const close of closers) await close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const nameOf = (index: number) => id(`stream ${index}`)

async function take(
  store: StreamStore,
  toys: ToyStream[],
  step: Exclude<Step, { kind: 'crash' }>,
  text: string,
): Promise<void> {
  const index = step.stream % toys.length
  const { texts, produced } = toys[index] as ToyStream
  const name = nameOf(index)
  switch (step.kind) {
    case 'append': {
      const added = Array.from({ length: step.count }, (_, at) => `${text}.${at}`)
      const { offset } = await store.append(
        name,
        added.map((one) => draft(one)),
        local,
      )
      assert.equal(offset, texts.length)
      texts.push(...added)
      return
    }
    case 'expect': {
      const appended = store.append(name, [draft(text)], { ...local, expectedOffset: step.offset })
      if (step.offset !== texts.length) return await assert.rejects(appended, ConflictError)
      assert.equal((await appended).offset, texts.length)
      texts.push(text)
      return
    }
    case 'produce': {
      const { sequence } = step
      const appended = store.append(name, [draft(text, { producer: { id: 'p', sequence } })], local)
      const last = Math.max(-1, ...produced.keys())
      const [answer] = await Promise.allSettled([appended])
      if (sequence < last && answer.status === 'rejected') {
        assert(answer.reason instanceof ConflictError)
        return
      }
      const { offset, repeated } = await appended
      // A process that has not seen the newer sequences may still answer where an older one stands.
      const expected = sequence > last ? [texts.length, false] : [produced.get(sequence), true]
      assert.deepEqual([offset, repeated], expected)
      if (repeated) return
      produced.set(sequence, offset)
      texts.push(text)
      return
    }
    case 'branch': {
      const at = Math.min(step.at, texts.length)
      await store.branch(nameOf(toys.length), name, { ...branching, at })
      toys.push({ texts: texts.slice(0, at), produced: new Map() })
      return
    }
    case 'seal':
      assert.equal((await store.seal(name)).sealedOffset, texts.length)
  }
}
