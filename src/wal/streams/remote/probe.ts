/**
 * Proves what the disk of this clone and a remote can do for record streams, by doing it with refs of its own.
 *
 * Invariants
 * - Nothing is believed that the other side merely says: a push counts by what a fetch finds afterwards.
 * - All its refs are deleted in the end, also after a failure. Objects stay until git collects them; they are the same
 *   each time.
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  buildTree,
  encodeCommit,
  findCause,
  type GitPort,
  newTemporaryPath,
  type Oid,
  type PendingObject,
  type PushedRef,
  type PushUpdate,
  probeFilter,
  type RefName,
} from '../../../git/index.ts'
import { RefMovedError } from '../../../model/index.ts'
import { probePrefix, trackingRef, trackingRefspec } from '../../ref-names.ts'
import type { RemotePlace } from './remote-place.ts'

export interface Probe {
  readonly where: 'disk' | 'remote'
  /**
   * `flush`: a file reaches the disk. `swap`: of two writers of one ref, one wins. `push`: a ref is created, and found.
   * `atomic`: several refs move together or not at all. `filter`: a fetch can leave contents out. `size`: the largest
   * record is accepted.
   */
  readonly check: 'flush' | 'swap' | 'push' | 'atomic' | 'filter' | 'size'
  /** `unknown`: an earlier failure left nothing to try it with. */
  readonly outcome: 'ok' | 'missing' | 'unknown'
  /** Whether streams cannot work without it. */
  readonly isEssential: boolean
  /** Why it is not `ok`. */
  readonly reason: string | null
}

export interface ProbePlace {
  readonly git: GitPort
  /** Text of 16 hex that no other probe has. */
  readonly name: string
  /** Null to probe only the disk. */
  readonly remote: (RemotePlace & { readonly signal: AbortSignal }) | null
}

/** The largest record that a setting allows. Bytes. */
const sizeBytes = 8 * 1024 * 1024

/**
 * @returns one row per check, and the refs of the remote that could not be deleted
 */
export async function probe(place: ProbePlace): Promise<{ rows: readonly Probe[]; leftRefs: readonly RefName[] }> {
  const { git, name, remote } = place
  const rows: Probe[] = [
    await check('disk', 'flush', true, async () => flushFile(git)),
    await check('disk', 'swap', true, async () => await swapHere(git, name)),
  ]
  if (remote === null) return { rows, leftRefs: [] }
  const probed = new RemoteProbe(git, remote, name)
  try {
    const push = await check('remote', 'push', true, async () => await probed.push())
    rows.push(push)
    for (const [which, isEssential, work] of [
      ['swap', true, async () => await probed.swap()],
      ['atomic', false, async () => await probed.atomic()],
      ['filter', false, async () => await probed.filter()],
      ['size', false, async () => await probed.size()],
    ] as const) {
      if (push.outcome === 'ok') rows.push(await check('remote', which, isEssential, work))
      else
        rows.push({ where: 'remote', check: which, outcome: 'unknown', isEssential, reason: 'nothing could be pushed' })
    }
  } finally {
    await probed.cleanUp()
  }
  return { rows, leftRefs: probed.leftRefs }
}

/** @param work - returns why the check failed, else null */
async function check(
  where: Probe['where'],
  which: Probe['check'],
  isEssential: boolean,
  work: () => Promise<string | null>,
): Promise<Probe> {
  let reason: string | null
  try {
    reason = await work()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    reason = error.message
  }
  return { where, check: which, outcome: reason === null ? 'ok' : 'missing', isEssential, reason }
}

async function flushFile({ layout }: GitPort): Promise<string | null> {
  const path = newTemporaryPath(layout)
  mkdirSync(dirname(path), { recursive: true })
  const text = 'written and flushed'
  const file = openSync(path, 'wx')
  try {
    writeSync(file, text)
    fsyncSync(file)
    return readFileSync(path, 'utf8') === text ? null : 'a flushed file reads back differently'
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}

async function swapHere(git: GitPort, name: string): Promise<string | null> {
  const ref = `${probePrefix}${name}` as RefName
  const [first, second] = [commitOf(git, 'first', []), commitOf(git, 'second', [])]
  const objects = [...first.objects, ...second.objects]
  const move = async (expected: Oid | null, next: Oid | null): Promise<'moved' | 'refused'> => {
    try {
      await git.publish({ objects, updates: [{ ref, expected, next, reflogMessage: 'grite: probe' }] })
      return 'moved'
    } catch (error) {
      if (error instanceof RefMovedError) return 'refused'
      throw error
    }
  }
  try {
    if ((await move(null, first.oid)) !== 'moved') return 'a ref that does not exist could not be created'
    if ((await move(null, second.oid)) !== 'refused') return 'a ref that exists could be created again'
    if ((await move(second.oid, second.oid)) !== 'refused') return 'a ref moved from a value that it did not have'
    return (await git.readRef(ref)) === first.oid ? null : 'a ref has another value than was written'
  } finally {
    const left = await git.readRef(ref)
    if (left !== null) await move(left, null)
  }
}

class RemoteProbe {
  readonly #git: GitPort
  readonly #place: RemotePlace & { readonly signal: AbortSignal }
  readonly #prefix: string
  leftRefs: readonly RefName[] = []

  constructor(git: GitPort, place: RemotePlace & { readonly signal: AbortSignal }, name: string) {
    this.#git = git
    this.#place = place
    this.#prefix = `${probePrefix}${name}/`
  }

  async push(): Promise<string | null> {
    const base = await this.#commit('base', [])
    const [row] = await this.#send([{ ref: this.#ref('push'), next: base }])
    if (row?.outcome !== 'ok') return reasonOf(row)
    return (await this.#found()).get(this.#ref('push')) === base ? null : 'a fetch does not find what was pushed'
  }

  /** Two pushes at the same time, of two commits that exclude each other. */
  async swap(): Promise<string | null> {
    const ref = this.#ref('swap')
    const base = await this.#commit('base', [])
    const [row] = await this.#send([{ ref, next: base }])
    if (row?.outcome !== 'ok') return reasonOf(row)
    const rivals = [await this.#commit('left', [base]), await this.#commit('right', [base])]
    const rows = (await Promise.all(rivals.map(async (next) => await this.#send([{ ref, next }])))).flat()
    const won = rivals.filter((_, index) => rows[index]?.outcome === 'ok')
    if (won.length !== 1) return `of two pushes that exclude each other, ${won.length} were accepted`
    if ((await this.#found()).get(ref) !== won[0]) return 'the push that was accepted is not what a fetch finds'
    const [back] = await this.#send([{ ref, next: await this.#commit('late', [base]) }])
    return back?.outcome === 'ok' ? 'a push moved a ref to a commit that lacks what the remote had' : null
  }

  async atomic(): Promise<string | null> {
    const [one, other, taken] = [this.#ref('atomic/1'), this.#ref('atomic/2'), this.#ref('push')]
    const base = await this.#commit('base', [])
    const both = [one, other].map((ref) => ({ ref, next: base }))
    const rows = await this.#send(both, true)
    if (rows.some(({ outcome }) => outcome !== 'ok')) return reasonOf(findCause(rows, 'rejected') ?? rows[0])
    const rival = await this.#commit('rival', [])
    const fresh = this.#ref('atomic/3')
    const mixed = [
      { ref: fresh, next: base },
      { ref: taken, next: rival },
    ]
    const refused = await this.#send(mixed, true)
    const found = await this.#found()
    const isWhole = refused.every(({ outcome }) => outcome !== 'ok') && !found.has(fresh) && found.get(taken) === base
    return isWhole ? null : 'a push of two refs moved one of them alone'
  }

  async filter(): Promise<string | null> {
    const { remote, signal } = this.#place
    const { blob } = commitOf(this.#git, 'base', [])
    const isFiltered = await probeFilter(this.#git, { remote, ref: this.#ref('push'), blob, signal })
    return isFiltered ? null : 'the remote sends all contents: it does not allow filters'
  }

  async size(): Promise<string | null> {
    const ref = this.#ref('size')
    const next = await this.#commit('large', [], largeContent())
    const [row] = await this.#send([{ ref, next }])
    return row?.outcome === 'ok' ? null : reasonOf(row)
  }

  /** Deletes what it finds on the remote, and what the fetches left here. */
  async cleanUp(): Promise<void> {
    const { remote } = this.#place
    try {
      const found = await this.#found()
      if (found.size === 0) return
      await this.#send([...found].map(([ref, expected]) => ({ ref, next: null, expected })))
      this.leftRefs = [...(await this.#found()).keys()]
    } catch {
      // The rows say that the remote does not answer. Without an answer nobody knows what it took.
    }
    const tracked = await this.#git.listRefs(trackingRef(remote, this.#prefix), () => {})
    const updates = tracked.map(({ ref, oid }) => ({ ref, expected: oid, next: null, reflogMessage: 'grite: probe' }))
    if (updates.length > 0) await this.#git.publish({ objects: [], updates })
  }

  /** The probe's refs, as the remote has them now. */
  async #found(): Promise<ReadonlyMap<RefName, Oid>> {
    const { remotes, remote, onProgress } = this.#place
    await remotes.fetch({ remote, refspecs: [trackingRefspec(remote, this.#prefix)], onProgress })
    const prefix = trackingRef(remote, this.#prefix)
    const rows = await this.#git.listRefs(prefix, () => {})
    return new Map(rows.map(({ ref, oid }) => [`${this.#prefix}${ref.slice(prefix.length)}` as RefName, oid]))
  }

  async #send(updates: readonly PushUpdate[], atomic = false): Promise<readonly PushedRef[]> {
    const { remotes, remote, runHooks, onProgress } = this.#place
    return await remotes.push({ remote, updates, atomic, runHooks, onProgress })
  }

  async #commit(text: string, parents: readonly Oid[], content?: Uint8Array): Promise<Oid> {
    const { oid, objects } = commitOf(this.#git, text, parents, content)
    await this.#git.publish({ objects, updates: [] })
    return oid
  }

  #ref(name: string): RefName {
    return `${this.#prefix}${name}` as RefName
  }
}

function reasonOf(row: PushedRef | undefined): string {
  return row === undefined || row.reason === '' ? 'the remote refused the push' : row.reason
}

interface ProbeCommit {
  readonly oid: Oid
  readonly blob: Oid
  readonly objects: readonly PendingObject[]
}

/** Always the same commit for the same text, so that repeated probes leave few objects. */
function commitOf(
  git: GitPort,
  text: string,
  parents: readonly Oid[],
  content: Uint8Array = new TextEncoder().encode(`grite probe: ${text}\n`),
): ProbeCommit {
  const format = git.layout.objectFormat
  const tree = buildTree(format, new Map([['probe', content]]))
  const author = { name: 'grite', email: 'grit@local', unixSeconds: 0, offsetMinutes: 0 }
  const commit = encodeCommit(format, { tree: tree.root, parents, author, message: `probe: ${text}` })
  const blob = tree.objects.find(({ type }) => type === 'blob')
  if (blob === undefined) throw new Error('a tree with a file has a blob')
  return { oid: commit.oid, blob: blob.oid, objects: [...tree.objects, commit] }
}

/** Incompressible. */
function largeContent(): Uint8Array {
  const content = new Uint8Array(sizeBytes)
  let block = createHash('sha512').update('grite probe').digest()
  for (let at = 0; at < sizeBytes; at += block.length) {
    content.set(block, at)
    block = createHash('sha512').update(block).digest()
  }
  return content
}
