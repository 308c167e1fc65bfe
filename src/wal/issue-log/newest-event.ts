import { type GitPort, type Oid, parseCommit } from '../../git/index.ts'
import {
  type ActorId,
  CorruptObjectError,
  compareVersions,
  type Event,
  isCardEvent,
  limits,
  ObjectTooLargeError,
} from '../../model/index.ts'
import { readLog } from '../read-log.ts'
import { issueLog } from './issue-log.ts'

/** Commits in the first read: few, because the event is mostly near the head. */
const windowFirst = 8
const windowMax = 2048

/**
 * Finds an actor's last event in the log: in the newest commit that has one, the greatest by version. Skips actor
 * cards, which are added automatically. Reads backwards from the head, no further than necessary.
 */
export async function findNewestEvent(git: GitPort, head: Oid, actor: ActorId): Promise<Event | undefined> {
  let size = windowFirst
  for (let tip: Oid | null = head; tip !== null; size = Math.min(size * 4, windowMax)) {
    const end = await findAncestor(git, tip, size)
    let newest: Event | undefined
    for await (const segments of readLog(git, issueLog, { head: tip, exclude: end === null ? [] : [end] })) {
      for (const { items } of segments) {
        const own = items.map(({ event }) => event).filter((event) => event.actor === actor && !isCardEvent(event))
        newest = own.sort(compareVersions).at(-1) ?? newest
      }
    }
    if (newest !== undefined) return newest
    tip = end
  }
  return undefined
}

/** The commit this many generations back; null when the chain ends or is unreadable before it. */
async function findAncestor(git: GitPort, from: Oid, generations: number): Promise<Oid | null> {
  return generations > windowFirst ? listToAncestor(git, from, generations) : readToAncestor(git, from, generations)
}

/** A list costs the start of git, and then a tenth of single reads. */
async function listToAncestor(git: GitPort, from: Oid, generations: number): Promise<Oid | null> {
  let next: Oid | undefined = from
  let generation = 0
  for await (const commits of git.listCommits({ head: from })) {
    for (const { oid, parents, problem } of commits) {
      if (oid !== next) continue
      if (problem !== null) return null
      if (generation === generations) return oid
      generation += 1
      next = parents[0]
    }
    if (next === undefined) return null
  }
  return null
}

async function readToAncestor(git: GitPort, from: Oid, generations: number): Promise<Oid | null> {
  let oid: Oid = from
  for (let generation = 0; generation < generations; generation++) {
    const parent = await readParent(git, oid)
    if (parent === null) return null
    oid = parent
  }
  // A missing commit cannot be excluded.
  return (await readCommit(git, oid)) === null ? null : oid
}

async function readParent(git: GitPort, oid: Oid): Promise<Oid | null> {
  return (await readCommit(git, oid))?.parents[0] ?? null
}

async function readCommit(git: GitPort, oid: Oid) {
  try {
    const object = await git.readObject(oid, limits.chunkReadBytesMax)
    return object?.type === 'commit' ? parseCommit(object.content) : null
  } catch (error) {
    if (error instanceof CorruptObjectError || error instanceof ObjectTooLargeError) return null
    throw error
  }
}
