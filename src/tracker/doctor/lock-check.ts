import { describeWrongClock } from '../../model/index.ts'
import { listLocksInSight } from '../../wal/index.ts'
import { collectLocal, tellsOfFreeIssue } from '../locks/collect.ts'
import {
  isReadable,
  type LockInSight,
  placeLock,
  type ReadableLock,
  stateInSight,
  termsOf,
} from '../locks/known-locks.ts'
import { type Check, count, type Finding, idsListedMax, nameSome, ok } from './check.ts'
import type { DoctorScene } from './examination.ts'

/** One kind of what may be wrong with locks. */
interface Fault {
  readonly locks: readonly LockInSight[]
  readonly what: (locks: string) => string
  readonly plan: string
}

export const lockRefs: Check = {
  id: 'lock_refs',
  async look(scene) {
    const sights = await locksSeen(scene)
    const faults = (await findFaults(scene, sights)).filter(({ locks }) => locks.length > 0)
    if (faults.length === 0) return ok(count(sights.length, 'lock'))
    return describe(faults)
  },
  async fix({ repository, nowUnixMs }) {
    const { removed } = await collectLocal(repository, nowUnixMs)
    await repository.letGoOfView()
    return removed === 0 ? null : `removed ${count(removed, 'ended lock')}`
  },
}

/** As commands see them, without the memory in which those keep what they read. */
async function locksSeen(scene: DoctorScene): Promise<LockInSight[]> {
  // Those are another check's.
  const unread = new Set((await scene.unreadRefs()).map(({ ref }) => ref))
  const found = await listLocksInSight(scene.repository.git)
  return found.filter(({ ref }) => !unread.has(ref)).map(placeLock)
}

async function findFaults(scene: DoctorScene, sights: readonly LockInSight[]): Promise<Fault[]> {
  const { nowUnixMs } = scene
  const readable = sights.filter(isReadable)
  const expired = readable.filter((sight) => stateInSight(sight, nowUnixMs) === 'expired')
  return [
    {
      locks: sights.filter((sight) => !isReadable(sight)),
      what: (locks) => `${locks} cannot be read`,
      plan: 'a lock that cannot be read blocks its own resource until `grite lock release <resource>` clears it away, for a lease with `--remote`',
    },
    {
      locks: await withoutUse(
        scene,
        expired.filter(({ level }) => level === 'local'),
      ),
      what: (locks) => `${locks} ended and left behind`,
      plan: '`grite lock gc` deletes ended locks, and so does `grite doctor --fix`',
    },
    {
      // A sync deletes leases of ours when it is time.
      locks: expired.filter(({ level, kind }) => level === 'remote' && kind === 'lock'),
      what: (locks) => `${locks} of the Rust tool ended on a remote, where it can keep that tool from pushing`,
      plan: '`grite lock gc --remote` deletes such locks there',
    },
    {
      locks: readable.filter((sight) => wrongClock(sight, nowUnixMs) !== null),
      what: (locks) => `${locks} written by a wrong clock`,
      plan: 'compare the clocks of the machines that write locks',
    },
  ]
}

/** The lock of a claim that ended tells that its issue is free, as long as the assignee stands. */
async function withoutUse(scene: DoctorScene, locks: readonly ReadableLock[]): Promise<ReadableLock[]> {
  const log = await scene.log()
  const useless = []
  for (const sight of locks) {
    const isOfUse = log !== null && (await tellsOfFreeIssue(async () => log.view, sight, scene.nowUnixMs))
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
