import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import { append, issueLog, noQueue, startLogFetch, syncLog, trackingRef, walRef } from '../../src/wal/index.ts'
import { batchOf, creation, issueId } from '../support/log.ts'
import { createMemoryWorld, type MemoryRefs } from '../support/memory-git.ts'

const clock = { nowUnixMs: Date.now }
const place = { queue: noQueue, clock, jitter: () => 0 }

function createPair() {
  const world = createMemoryWorld()
  const origin: MemoryRefs = new Map()
  const clone = () => {
    const refs: MemoryRefs = new Map()
    return { refs, git: world.openGit(refs), remotes: world.openRemotes(refs, new Map([['origin', origin]])) }
  }
  return { origin, ann: clone(), bo: clone() }
}

type Clone = ReturnType<typeof createPair>['ann']

const write = ({ git }: Clone, issue: string) =>
  append({ ...place, git, stream: issueLog }, async () => batchOf([creation(issueId(issue))]))

/** Syncs with a fetch that has started before. Counts the questions for ancestors. */
async function sync({ git, remotes }: Clone) {
  let questions = 0
  const isAncestor: typeof git.isAncestor = (ancestor, descendant) => {
    questions += 1
    return git.isAncestor(ancestor, descendant)
  }
  const early = startLogFetch(remotes, { remote: 'origin', onProgress: undefined })
  const directions = { remote: 'origin', isHome: true, pull: true, push: true, runHooks: false }
  const request = { ...directions, mayRepeat: async () => false, early }
  const { pushed, rounds } = await syncLog({ ...place, git: { ...git, isAncestor }, remotes }, request)
  return { pushed, rounds, questions }
}

test('a sync pushes to a remote that has not moved, and leaves it to git whether that is a fast-forward', async () => {
  const { origin, ann } = createPair()
  await write(ann, '1')
  await sync(ann)
  await write(ann, '2')
  assert.deepEqual(await sync(ann), { pushed: true, rounds: 1, questions: 0 })
  assert.equal(origin.get(walRef), await ann.git.readRef(walRef))
})

test('a sync takes in what an interrupted one had fetched, after the remote refused the local log', async () => {
  const { origin, ann, bo } = createPair()
  await write(ann, '1')
  await sync(ann)
  await sync(bo)
  await write(ann, '2')
  await sync(ann)
  await write(bo, '3')
  bo.refs.set(trackingRef('origin', walRef), origin.get(walRef) as Oid)
  const { pushed, rounds } = await sync(bo)
  assert.deepEqual({ pushed, rounds }, { pushed: true, rounds: 1 })
  assert.equal(origin.get(walRef), await bo.git.readRef(walRef))
  assert.equal(await bo.git.isAncestor((await ann.git.readRef(walRef)) as Oid, origin.get(walRef) as Oid), true)
})
