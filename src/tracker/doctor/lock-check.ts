import { describeWrongClock } from '../../model/index.ts'
import { listSeenLocks } from '../../wal/index.ts'
import { collectLocal, marksIssueFree } from '../locks/collect.ts'
import { isReadable, placeLock, type ReadableLock, type SeenLock, stateOfLock, termsOf } from '../locks/known-locks.ts'
import { type Check, count, type Finding, idsListedMax, nameSome, ok } from './check.ts'
import type { Examination } from './examination.ts'

/** One kind of problem with locks. */
interface Fault {
  readonly locks: readonly SeenLock[]
  readonly what: (locks: string) => string
  readonly plan: string
}

export const lockRefs: Check = {
  id: 'lock_refs',
  async look(examination) {
    const sights = await locksSeen(examination)
    const faults = (await findFaults(examination, sights)).filter(({ locks }) => locks.length > 0)
    if (faults.length === 0) return ok(count(sights.length, 'lock'))
    return describe(faults)
  },
  async fix({ repository, nowUnixMs }) {
    const { removed } = await collectLocal(repository, nowUnixMs)
    await repository.closeView()
    return removed === 0 ? null : `deleted ${count(removed, 'ended lock')}`
  },
}

/** The locks as commands see them, but read without their cache. */
async function locksSeen(examination: Examination): Promise<SeenLock[]> {
  // Refs with missing targets are reported by another check.
  const unread = new Set((await examination.unreadRefs()).map(({ ref }) => ref))
  const found = await listSeenLocks(examination.repository.git)
  return found.filter(({ ref }) => !unread.has(ref)).map(placeLock)
}

async function findFaults(examination: Examination, sights: readonly SeenLock[]): Promise<Fault[]> {
  const { nowUnixMs } = examination
  const readable = sights.filter(isReadable)
  const expired = readable.filter((sight) => stateOfLock(sight, nowUnixMs) === 'expired')
  return [
    {
      locks: sights.filter((sight) => !isReadable(sight)),
      what: (locks) => `${locks} cannot be read`,
      plan: 'an unreadable lock blocks its resource; remove it with `grite lock release <resource>`, and `--remote` for a lease',
    },
    {
      locks: await withoutUse(
        examination,
        expired.filter(({ level }) => level === 'local'),
      ),
      what: (locks) => `${locks} ended but not deleted`,
      plan: 'run `grite lock gc` or `grite doctor --fix` to delete ended locks',
    },
    {
      // Leases are left out: a sync deletes them when they are old enough.
      locks: expired.filter(({ level, kind }) => level === 'remote' && kind === 'lock'),
      what: (locks) => `${locks} of the Rust tool ended on a remote, which can block the pushes of that tool`,
      plan: 'run `grite lock gc --remote` to delete them',
    },
    {
      locks: readable.filter((sight) => wrongClock(sight, nowUnixMs) !== null),
      what: (locks) => `${locks} written with a wrong clock`,
      plan: 'check the clocks of the machines that write locks',
    },
  ]
}

/** Leaves out locks of ended claims that are still needed: they mark the issue as free while it has the assignee of the claim. */
async function withoutUse(examination: Examination, locks: readonly ReadableLock[]): Promise<ReadableLock[]> {
  const log = await examination.log()
  const useless = []
  for (const sight of locks) {
    const isOfUse = log !== null && (await marksIssueFree(async () => log.view, sight, examination.nowUnixMs))
    if (!isOfUse) useless.push(sight)
  }
  return useless
}

function wrongClock(sight: ReadableLock, nowUnixMs: number): string | null {
  const { lock, committedAtUnixMs } = sight.found
  return describeWrongClock(lock, { committedAtUnixMs, nowUnixMs, terms: termsOf(sight) })
}

function describe(faults: readonly Fault[]): Finding {
  const refsOf = ({ locks }: Fault) => locks.map(({ found }) => found.ref as string)
  return {
    status: 'warn',
    message: faults
      .map((fault) => `${fault.what(count(fault.locks.length, 'lock'))}: ${nameSome(refsOf(fault))}`)
      .join('; '),
    plan: faults.map(({ plan }) => plan),
    details: { refs: faults.flatMap(refsOf).slice(0, idsListedMax) },
  }
}
