/** A daemon, commands without it and an embedded library that append to one stream at the same time. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type * as library from '../../src/library/index.ts'
import { createDaemonSandbox, type DaemonSandbox } from '../daemon/daemon-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { lastFirst } from './last-first.ts'

const built: typeof library = await import(new URL('../../dist/library.mjs', import.meta.url).href)

/** Appends in flight of a program that uses the library. */
const inFlight = 8
/** Every writer must have had its turn. */
const appendsMin = 3

/** @returns how many records each kind of writer has appended */
export async function appendAtOnce(test: CleanUp, forMs: number): Promise<Readonly<Record<string, number>>> {
  const t = lastFirst(test)
  const place = createDaemonSandbox(t)
  place.startDaemon()
  place.data('stream', 'create', 's')
  const options = { cwd: place.path, env: place.environment }
  const served = await built.connect({ ...options, start: false })
  t.after(() => served.close())
  const embedded = await built.openRepository(options)
  t.after(() => embedded.close())
  const acked = new Map<string, number>()
  const counts: Record<string, number> = { served: 0, embedded: 0, command: 0, 'command without daemon': 0 }
  const endMs = performance.now() + forMs
  const until = async (name: string, append: (text: string) => Promise<number>) => {
    for (let turn = 0; performance.now() < endMs || turn < appendsMin; turn++) {
      const text = `${name} ${counts[name]}`
      counts[name] = (counts[name] ?? 0) + 1
      acked.set(text, await append(text))
    }
  }
  const program = (name: string, repo: library.Repository) =>
    Array.from({ length: inFlight }, () => until(name, async (text) => (await repo.stream('s').append(text)).offset))
  const command = (name: string, ...more: readonly string[]) =>
    until(name, async (text) => (await answerOf(place, 'stream', 'append', 's', text, ...more)).offset as number)
  await Promise.all([
    ...program('served', served),
    ...program('embedded', embedded),
    command('command'),
    command('command without daemon', '--no-daemon'),
  ])
  await answerOf(place, 'stream', 'seal', 's')
  const texts: string[] = []
  for await (const { offset, text } of embedded.stream('s').read()) {
    assert.equal(offset, texts.length)
    texts.push(text)
  }
  assert.equal(new Set(texts).size, texts.length)
  assert.equal(texts.length, acked.size)
  for (const [text, offset] of acked) assert.equal(texts[offset], text)
  assert.ok(place.endpoint() !== undefined, 'the daemon still runs')
  return counts
}

async function answerOf(place: DaemonSandbox, ...words: readonly string[]): Promise<Record<string, unknown>> {
  const child = place.start(...words, '--json')
  let [output, faults] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output += part
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    faults += part
  })
  const [status] = await once(child, 'close')
  assert.deepEqual([status, faults], [0, ''], words.join(' '))
  return JSON.parse(output).data
}
