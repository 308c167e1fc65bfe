/**
 * Random histories of several clones and their remotes, checked against a model of the events acknowledged to each clone.
 * The same histories run on repositories in memory and on real ones.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { GitPort, Oid, RemotePort } from '../../src/git/index.ts'
import { ConflictError, type IssueId } from '../../src/model/index.ts'
import {
  append,
  issueLog,
  type LogSyncRequest,
  noQueue,
  readSegments,
  type SyncPoint,
  startLogFetch,
  syncLog,
  trackingRef,
  walRef,
} from '../../src/wal/index.ts'
import { batchOf, creation, issueId, makeEvent } from '../support/log.ts'

export const cloneCount = 3

/** One clone as a history sees it. */
export interface Clone {
  readonly git: GitPort
  readonly remotes: RemotePort
}

/** Repositories that a history runs on. */
export interface Repositories {
  readonly clones: readonly Clone[]
  /** Head of a remote's log. */
  remoteHead(remote: Remote): Promise<Oid | null>
  /** Sets a remote's log ref directly, as its owner can. */
  setRemoteHead(remote: Remote, head: Oid | null): Promise<void>
  /** Replaces a clone by an empty one. */
  renewClone(index: number): Promise<void>
  /** A port that reads commits of the remotes. */
  readonly reader: GitPort
  /** Event ids on the chain below a head, sorted, with repeats. */
  readonly ids: (git: GitPort, head: Oid | null) => Promise<readonly string[]>
}

export const remoteNames = ['origin', 'backup'] as const
export type Remote = (typeof remoteNames)[number]

export type Step =
  | { readonly do: 'write'; readonly clone: number; readonly events: number }
  /** Two clones write one identical event, as when both import a file. */
  | { readonly do: 'write-known'; readonly clone: number; readonly fact: number }
  | {
      readonly do: 'sync'
      readonly clone: number
      readonly remote: Remote
      readonly pull: boolean
      readonly push: boolean
      /** Whether the fetch has started before the sync. */
      readonly isEarly: boolean
      /** What happens in the middle: the process dies, or another writer is faster. */
      readonly meanwhile: { readonly at: SyncPoint; readonly what: 'dies' | 'writes' | 'other-syncs' } | null
    }
  /** A clone is replaced by an empty one: events only it had are lost. */
  | { readonly do: 'vanish'; readonly clone: number }
  /** The remote loses its log, or its newest commits. */
  | { readonly do: 'lose'; readonly remote: Remote; readonly commits: number | 'all' }

const clone = fc.nat({ max: cloneCount - 1 })
const remote = fc.oneof({ weight: 4, arbitrary: fc.constant('origin' as const) }, fc.constant('backup' as const))
const points: readonly SyncPoint[] = ['fetched', 'staged', 'moved', 'pushed', 'tracked']

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('write' as const), clone, events: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('write-known' as const), clone, fact: fc.nat({ max: 2 }) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('sync' as const),
      clone,
      remote,
      pull: fc.boolean(),
      push: fc.boolean(),
      isEarly: fc.boolean(),
      meanwhile: fc.option(
        fc.record({
          at: fc.constantFrom(...points),
          what: fc.constantFrom('dies' as const, 'writes' as const, 'other-syncs' as const),
        }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), clone }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      remote,
      commits: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant('all' as const)),
    }),
  },
)

export const history = (stepsMax: number): fc.Arbitrary<Step[]> => fc.array(step, { minLength: 1, maxLength: stepsMax })

class Died extends Error {}

/** Runs a history and asserts that no event was lost or doubled and all clones converge. */
export async function playHistory(repositories: Repositories, steps: readonly Step[]): Promise<void> {
  const told = repositories.clones.map(() => new Set<string>())
  for (const each of steps) {
    await playStep(repositories, told, each)
    await assertKept(repositories, told)
  }
  const used = remoteNames.filter(
    (name) => name === 'origin' || steps.some((each) => 'remote' in each && each.remote === name),
  )
  const all = new Set(told.flatMap((ids) => [...ids]))
  for (const name of used)
    for (const id of await repositories.ids(repositories.reader, await repositories.remoteHead(name))) all.add(id)
  // The last clone has everything after the first round, the others after the second.
  for (let round = 0; round < 2; round++) {
    for (const name of used) {
      for (const index of repositories.clones.keys())
        await runSync(repositories, { clone: index, remote: name, pull: true, push: true, isEarly: false })
    }
  }
  const heads = new Set<Oid | null>()
  for (const { git } of repositories.clones) {
    heads.add(await git.readRef(walRef))
    assert.deepEqual(
      await repositories.ids(git, await git.readRef(walRef)),
      [...all].sort(),
      'a clone has each event once',
    )
  }
  for (const name of used) {
    const head = await repositories.remoteHead(name)
    assert.deepEqual(await repositories.ids(repositories.reader, head), [...all].sort(), `${name} has each event once`)
    if (name === 'origin') heads.add(head)
  }
  assert.equal(heads.size, 1, 'clones and home remote have one head')
}

async function playStep(repositories: Repositories, told: readonly Set<string>[], each: Step): Promise<void> {
  switch (each.do) {
    case 'write':
      return write(
        repositories,
        told,
        each.clone,
        Array.from({ length: each.events }, () => creation(nextIssue())),
      )
    case 'write-known':
      return write(repositories, told, each.clone, [knownFact(each.fact)])
    case 'sync':
      return sync(repositories, told, each)
    case 'vanish':
      told[each.clone]?.clear()
      return repositories.renewClone(each.clone)
    case 'lose': {
      const head = await repositories.remoteHead(each.remote)
      await repositories.setRemoteHead(
        each.remote,
        each.commits === 'all' ? null : await goBack(repositories.reader, head, each.commits),
      )
    }
  }
}

let issueCount = 0
const nextIssue = (): IssueId => issueId(`ab${(issueCount++).toString(16).padStart(6, '0')}`)
const knownFact = (fact: number) =>
  makeEvent(issueId(`cd0${fact}`), { type: 'IssueCreated', title: `fact ${fact}`, body: '', labels: [] }, { ts: 1000 })

async function write(
  { clones, ids }: Repositories,
  told: readonly Set<string>[],
  index: number,
  events: readonly ReturnType<typeof creation>[],
): Promise<void> {
  const { git } = clones[index] as Clone
  await append({ git, stream: issueLog, queue: noQueue, clock, jitter: () => 0 }, async (head) => {
    const there = new Set(await ids(git, head))
    const fresh = events.filter(({ eventId }) => !there.has(eventId))
    return fresh.length === 0 ? null : batchOf(fresh)
  })
  for (const { eventId } of events) (told[index] as Set<string>).add(eventId)
}

const clock = { nowUnixMs: Date.now }

async function sync(
  repositories: Repositories,
  told: readonly Set<string>[],
  each: Step & { do: 'sync' },
): Promise<void> {
  let isDone = false
  const at = async (point: SyncPoint) => {
    if (isDone || point !== each.meanwhile?.at) return
    isDone = true
    const other = (each.clone + 1) % cloneCount
    switch (each.meanwhile.what) {
      case 'dies':
        throw new Died()
      case 'writes':
        return write(repositories, told, each.clone, [creation(nextIssue())])
      case 'other-syncs':
        await write(repositories, told, other, [creation(nextIssue())])
        return runSync(repositories, { ...each, clone: other, pull: true, push: true })
    }
  }
  try {
    await runSync(repositories, each, at)
  } catch (error) {
    if (!(error instanceof Died || error instanceof ConflictError)) throw error
  }
}

async function runSync(
  { clones }: Repositories,
  {
    clone: index,
    remote: name,
    pull,
    push,
    isEarly,
  }: Pick<Step & { do: 'sync' }, 'clone' | 'remote' | 'pull' | 'push' | 'isEarly'>,
  at?: (point: SyncPoint) => Promise<void>,
): Promise<void> {
  const request: LogSyncRequest = {
    remote: name,
    isHome: name === 'origin',
    pull: pull || !push,
    push: push || !pull,
    runHooks: false,
    mayRepeat: async () => false,
  }
  const { git, remotes } = clones[index] as Clone
  const early = isEarly ? startLogFetch(remotes, { remote: name, onProgress: undefined }) : undefined
  try {
    await syncLog({ git, remotes, queue: noQueue, clock, jitter: () => 0, at }, { ...request, early })
  } finally {
    await early?.cancel()
  }
}

async function assertKept({ clones, ids: idsAt }: Repositories, told: readonly Set<string>[]): Promise<void> {
  for (const [index, { git }] of clones.entries()) {
    const ids = await idsAt(git, await git.readRef(walRef))
    assert.equal(new Set(ids).size, ids.length, `clone ${index} has no event twice`)
    const there = new Set(ids)
    const known = told[index] as Set<string>
    // Fetched events are kept in tracking refs, but not yet in the log when a sync was cut off.
    const seen = await Promise.all(
      remoteNames.map(async (name) => idsAt(git, await git.readRef(trackingRef(name, walRef)))),
    )
    const elsewhere = new Set(seen.flat())
    for (const id of known) assert.ok(there.has(id) || elsewhere.has(id), `clone ${index} kept what it had`)
    for (const id of [...ids, ...elsewhere]) known.add(id)
  }
}

/** Ids of the events on a chain, sorted. Chains share prefixes, so results are cached. */
export function createIdReader(): Repositories['ids'] {
  const known = new Map<Oid, readonly string[]>()
  return async (git, head) => {
    if (head === null) return []
    const fresh: Oid[] = []
    for (let oid: Oid | null = head; oid !== null && !known.has(oid); oid = await parentOf(git, oid)) fresh.push(oid)
    const base = await parentOf(git, fresh.at(-1) ?? head)
    for (const { commit, parents, items } of fresh.length === 0
      ? []
      : await readSegments(git, issueLog, head, base ? [base] : [])) {
      const own = items.map(({ event }) => event.eventId as string)
      known.set(commit, [...(known.get(parents[0] as Oid) ?? []), ...own].sort())
    }
    return known.get(head) ?? []
  }
}

async function parentOf(git: GitPort, oid: Oid): Promise<Oid | null> {
  const object = await git.readObject(oid, 1 << 20)
  return (/^parent ([0-9a-f]+)$/m.exec(Buffer.from(object?.content ?? []).toString('latin1'))?.[1] as Oid) ?? null
}

async function goBack(git: GitPort, head: Oid | null, commits: number): Promise<Oid | null> {
  let oid = head
  for (let count = 0; count < commits && oid !== null; count++) {
    oid = await parentOf(git, oid)
  }
  return oid
}
