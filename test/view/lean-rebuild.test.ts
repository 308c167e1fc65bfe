/** A rebuild reads most commits without an object for each file; the view must be the same as without this. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTree, encodeCommit, type GitPort, type Oid, openNative, type PendingObject } from '../../src/git/index.ts'
import { PairEntry } from '../../src/git/pair-entry.ts'
import {
  blake2b256,
  type Event,
  type EventBody,
  encodeChunk,
  encodeRecord,
  hashChunk,
  type IssueId,
  projectContextIssueId,
  type Sha256Hex,
} from '../../src/model/index.ts'
import { fillView } from '../../src/view/fill.ts'
import { openMemoryStore } from '../../src/view/store.ts'
import { View } from '../../src/view/view.ts'
import { issueLog, readLog, walRef } from '../../src/wal/index.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { actors, batchOf, creation, dumpStore, filesOf, issueId, makeEvent } from '../support/log.ts'
import { pick, type Random, randomOf } from '../support/mutate.ts'

type Files = Map<string, Uint8Array | Oid>

/** Adds commits of every kind to a log in memory. */
class LogMaker {
  readonly objects: PendingObject[] = []
  /** Newest last. */
  readonly heads: Oid[] = []
  readonly events: Event[] = []
  readonly chunks: Uint8Array[] = []
  readonly #random: Random
  readonly #issues: IssueId[] = [issueId('a0'), issueId('b0'), issueId('c0')]

  constructor(random: Random) {
    this.#random = random
  }

  get head(): Oid | null {
    return this.heads.at(-1) ?? null
  }

  add(files: Files, parents: readonly Oid[] = this.head === null ? [] : [this.head], message = 'WAL: 1 events'): void {
    const tree = buildTree('sha1', files)
    const author = { name: 'grite', email: 'grit@local', unixSeconds: 1_700_000_000, offsetMinutes: 0 }
    const commit = encodeCommit('sha1', { tree: tree.root, parents, author, message })
    this.objects.push(...tree.objects, commit)
    this.heads.push(commit.oid)
  }

  newEvent(): Event {
    const random = this.#random
    const actor = pick(random, actors)
    if (random(4) === 0) {
      const issue = issueId(random(0xffff).toString(16).padStart(4, '0'))
      this.#issues.push(issue)
      const labels = ['bug', 'ä', 'p0'].slice(random(4))
      const created = makeEvent(issue, { type: 'IssueCreated', title: `t${random(9)}`, body: 'b', labels }, { actor })
      return this.#keep(created)
    }
    const target = pick(random, this.#issues)
    const bodies: readonly EventBody[] = [
      { type: 'IssueUpdated', title: null, body: 'text' },
      { type: 'CommentAdded', body: `é ${random(1000)}` },
      { type: 'LabelAdded', label: `l${random(3)}` },
      { type: 'LabelRemoved', label: `l${random(3)}` },
      { type: 'StateChanged', state: random(2) === 0 ? 'open' : 'closed' },
      { type: 'AssigneeAdded', user: `u${random(3)}` },
      { type: 'DependencyAdded', target, dep_type: 'blocks' },
      { type: 'DependencyRemoved', target, dep_type: 'blocks' },
      { type: 'LinkAdded', url: 'https://example.com', note: null },
      { type: 'ProjectContextUpdated', key: `k${random(3)}`, value: `${random(9)}` },
    ]
    const body = pick(random, bodies)
    const issue = body.type === 'ProjectContextUpdated' ? projectContextIssueId : pick(random, this.#issues)
    return this.#keep(makeEvent(issue, body, { actor }))
  }

  #keep(event: Event): Event {
    this.events.push(event)
    return event
  }

  newEvents(count: number): Event[] {
    return Array.from({ length: count }, () => this.newEvent())
  }

  files(events: readonly Event[], meta?: Readonly<Record<string, unknown>>): Files {
    const files = filesOf(batchOf(events, meta === undefined ? {} : { meta }), this.head)
    this.chunks.push(chunkOf(files)[1])
    return files
  }
}

function chunkOf(files: Files): [path: string, content: Uint8Array] {
  return [...files].find(([path]) => path.endsWith('.bin')) as [string, Uint8Array]
}

/** The files with another chunk, at the right path, named by meta.json. */
function withChunk(files: Files, chunk: Uint8Array): Files {
  const [path, old] = chunkOf(files)
  const [was, is] = [hashChunk(old), hashChunk(chunk)]
  const meta = Buffer.from(files.get('meta.json') as Uint8Array)
    .toString()
    .replace(was, is)
  return new Map<string, Uint8Array | Oid>([
    [path.replace(was, is), chunk],
    ['meta.json', Buffer.from(meta)],
  ])
}

function metaOf(files: Files): string {
  return Buffer.from(files.get('meta.json') as Uint8Array).toString()
}

const unusual: Readonly<Record<string, (log: LogMaker, random: Random) => void>> = {
  'many events': (log, random) => log.add(log.files(log.newEvents(2 + random(20)))),
  'a wrong prev_wal': (log) => {
    const files = log.files(log.newEvents(1))
    log.add(
      files.set('meta.json', Buffer.from(metaOf(files).replace(/"prev_wal": .*/, `"prev_wal": "${'1'.repeat(40)}"`))),
    )
  },
  'a wrong chunk hash': (log) => {
    const files = log.files(log.newEvents(1))
    log.add(files.set('meta.json', Buffer.from(metaOf(files).replace(/"chunk_hash": "../, '"chunk_hash": "zz'))))
  },
  'no meta.json': (log) => {
    const files = log.files(log.newEvents(1))
    files.delete('meta.json')
    log.add(files.set('other', Buffer.from('x')))
  },
  'a meta.json that is not JSON': (log) => log.add(log.files(log.newEvents(1)).set('meta.json', Buffer.from('{'))),
  'more keys in meta.json': (log) => log.add(log.files(log.newEvents(1), { requests: ['1-ab'], later: { a: 1 } })),
  'another name': (log) => {
    const files = log.files(log.newEvents(1))
    const [path, chunk] = chunkOf(files)
    files.delete(path)
    log.add(files.set(`events/${'0'.repeat(64)}.bin`, chunk))
  },
  'a path that git quotes': (log) => {
    const files = log.files(log.newEvents(1))
    const [path, chunk] = chunkOf(files)
    files.delete(path)
    log.add(files.set('ev"ents\n/ü.bin', chunk))
  },
  'two chunks': (log) => {
    const more = log.files(log.newEvents(2))
    const [path, chunk] = chunkOf(more)
    log.add(log.files(log.newEvents(1)).set(path, chunk))
  },
  'a foreign file': (log) => log.add(log.files(log.newEvents(1)).set('README.md', Buffer.from('hello'))),
  'an attachment': (log, random) => {
    const content = Buffer.from(`content ${random(3)}`)
    const sha256 = createHash('sha256').update(content).digest('hex') as Sha256Hex
    const event = makeEvent(issueId('a0'), { type: 'AttachmentAdded', name: 'n', sha256, mime: 'm/m' })
    const name = random(4) === 0 ? 'e'.repeat(64) : sha256
    log.add(log.files([event]).set(`attachments/${name}`, content))
  },
  'an event again': (log, random) => log.add(log.files([pick(random, log.events), log.newEvent()])),
  'an event twice': (log) => {
    const event = log.newEvent()
    log.add(log.files([event, event]))
  },
  'an event with another signature': (log, random) => {
    const sig = Uint8Array.from({ length: 64 }, () => random(256))
    log.add(log.files([{ ...pick(random, log.events), sig }]))
  },
  'a chunk again': (log, random) => log.add(withChunk(log.files(log.newEvents(1)), pick(random, log.chunks))),
  'a wrong event id': (log, random) => {
    const record = Buffer.from(encodeRecord(log.newEvent()))
    const at = 5 + random(20)
    record[at] = (record[at] as number) ^ 1
    log.add(withChunk(log.files(log.newEvents(1)), encodeChunk([record, encodeRecord(log.newEvent())])))
  },
  'an unknown kind': (log) => {
    const record = Buffer.from(encodeRecord(makeEvent(issueId('a0'), { type: 'CommentAdded', body: 'odd' })))
    record[record.indexOf(Buffer.from('f60381', 'hex')) + 1] = 0x0f
    blake2b256(Uint8Array.of(0x87, 0x01), record.subarray(35, -1)).forEach((byte, index) => {
      record[3 + index] = byte
    })
    log.add(withChunk(log.files(log.newEvents(1)), encodeChunk([record])))
  },
  'a torn chunk': (log, random) => {
    const files = log.files(log.newEvents(3))
    const [, chunk] = chunkOf(files)
    log.add(withChunk(files, chunk.subarray(0, 5 + random(chunk.length - 5))))
  },
  'bytes that are no chunk': (log) => log.add(withChunk(log.files(log.newEvents(1)), Buffer.from('x'))),
  'a merge': (log, random) => {
    const before = log.heads.slice(-6)
    const fork = pick(random, before)
    const ours = log.head as Oid
    log.add(log.files(log.newEvents(1)), [fork])
    log.add(log.files(log.newEvents(1)), [ours, log.head as Oid])
  },
  'no parent that it names': (log) => log.add(log.files(log.newEvents(1)), log.heads.slice(-2, -1)),
  'an empty tree': (log) => log.add(new Map()),
  'a long message': (log) =>
    log.add(log.files(log.newEvents(1)), undefined, `WAL\n\nblob\nmark :1\n${'x'.repeat(9000)}\n`),
  'a large chunk': (log, random) => {
    const body = 'long '.repeat(pick(random, [1000, 14_000, 20_000]))
    log.add(log.files([makeEvent(issueId('a0'), { type: 'CommentAdded', body })]))
  },
}

/** The port, whose entries have an object for each file. */
function withoutPairs(git: GitPort): GitPort {
  return {
    ...git,
    async *readHistory(options) {
      for await (const entries of git.readHistory(options)) {
        yield entries.map((entry) => ({
          ...{ oid: entry.oid, parents: entry.parents, message: entry.message, files: entry.files },
          ...{ committedAtUnixSeconds: entry.committedAtUnixSeconds, problem: entry.problem, gaps: entry.gaps },
        }))
      }
    },
  }
}

async function readView(git: GitPort, head: Oid, { isLean }: { readonly isLean: boolean }) {
  const view = (await View.over(await openMemoryStore(), { deferred: isLean })) as View
  const problems: unknown[] = []
  const source = readLog(git, issueLog, { head, mayUseFile: isLean })
  const counts = await fillView(view, { head, source, report: (problem) => void problems.push(problem) })
  const { eventCount, issueCount, mayRepeat, gaps } = view
  const hasCopies = await view.readMeta('has_copies')
  return { dump: await dumpStore(view.store), problems, counts, eventCount, issueCount, mayRepeat, gaps, hasCopies }
}

for (const seed of [1, 2, 3]) {
  test(`lean and general reading give the same view, seed ${seed}`, async (t) => {
    const { layout, environment } = await createTempRepository(t)
    const git = openNative(layout, { environment })
    t.after(() => git.close())
    // Of even seeds, git's export goes through a file.
    if (seed % 2 === 0) mkdirSync(join(layout.commonDir, 'grite'))
    const random = randomOf(seed)
    const log = new LogMaker(random)
    log.add(log.files([creation(issueId('a0'), 'first')]))
    for (let count = 0; count < 400; count++) {
      if (random(3) > 0) log.add(log.files(log.newEvents(1)))
      else pick(random, Object.values(unusual))(log, random)
    }
    for (const add of Object.values(unusual)) add(log, random)
    log.add(log.files(log.newEvents(1)))
    const head = log.head as Oid
    const update = { ref: walRef, expected: null, next: head, reflogMessage: 'test' }
    await git.publish({ objects: log.objects, updates: [update] })
    let pairs = 0
    for await (const entries of git.readHistory({ head, blobBytesMax: 2 ** 26 })) {
      for (const entry of entries) if (entry instanceof PairEntry) pairs += 1
    }
    assert.ok(pairs > 200, `${pairs} pairs`)
    const general = await readView(withoutPairs(git), head, { isLean: false })
    assert.deepEqual(await readView(git, head, { isLean: true }), general)
    assert.ok(general.problems.length > 50)
  })
}
