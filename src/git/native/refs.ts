import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GriteError, RefLockedError, RefMovedError } from '../../model/errors/index.ts'
import { namesBrokenRefs } from '../classify-git-failure.ts'
import { breakDeadChildLocks, noteChildLocks, wasKilled } from '../durable/child-locks.ts'
import type { Disk, OpenFile } from '../durable/disk.ts'
import type { WarnOfFile } from '../durable/file-warning.ts'
import type { FlushSettings } from '../durable/flush-settings.ts'
import { refuseBrokenRef } from '../in-process/refs.ts'
import type { Environment } from '../locate-git.ts'
import { isOid } from '../oid.ts'
import type { Oid, OnBrokenRef, RefName, RefUpdate, RepositoryLayout } from '../port.ts'
import { looseRefPath, packedRefsPath } from '../ref-paths.ts'
import type { GitRunner } from '../run-git.ts'
import { flushArguments } from './write-objects.ts'

interface RefRow {
  readonly ref: RefName
  readonly oid: Oid
}

/** Reads one ref. Null when it does not exist. @throws {CorruptObjectError} when it is symbolic or broken */
export async function readRefNatively(git: GitRunner, ref: RefName): Promise<Oid | null> {
  const rows = await listRefsNatively(git, [ref])
  return rows.find((row) => row.ref === ref)?.oid ?? null
}

/** Refs with these names, or below a name that ends in `/`, by name. */
export async function listRefsNatively(
  git: GitRunner,
  names: readonly string[],
  onBroken: OnBrokenRef = refuseBrokenRef,
): Promise<readonly RefRow[]> {
  const { stdout, stderr } = await git.run([
    'for-each-ref',
    '--format=%(objectname) %(refname) %(symref)',
    '--',
    ...names.map((name) => name.replace(/\/$/, '')),
  ])
  const isAskedFor = (ref: string) => names.some((name) => ref.startsWith(name))
  for (const broken of namesBrokenRefs(stderr))
    if (isAskedFor(broken)) onBroken(broken as RefName, 'does not hold an object id')
  const rows: RefRow[] = []
  for (const line of stdout.toString('utf8').split('\n')) {
    const [oid = '', ref = '', symbolic = ''] = line.split(' ')
    if (ref === '' || !isAskedFor(ref)) continue
    if (symbolic === '') rows.push({ ref: ref as RefName, oid: oid as Oid })
    else onBroken(ref as RefName, 'is a symbolic ref')
  }
  return rows
}

export interface MoveRefsContext {
  readonly git: GitRunner
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly flushes: FlushSettings
  readonly lockWaitMs: number
  readonly warn: WarnOfFile
  readonly writeEnvironment: () => Environment
  /** `Name <email> seconds zone`, for the reflog. */
  readonly committer: string
}

export interface RefsMovedNatively {
  readonly moved: readonly RefUpdate[]
  /** Why the remaining refs did not move; undefined when all did. */
  readonly failure: unknown
}

/**
 * Moves refs in one git transaction. When git fails, the refs themselves show what moved: git may have been killed
 * after it finished.
 */
export async function moveRefsNatively(
  context: MoveRefsContext,
  updates: readonly RefUpdate[],
): Promise<RefsMovedNatively> {
  if (updates.length === 0) return { moved: [], failure: undefined }
  const { git, flushes, lockWaitMs } = context
  const startedAt = Date.now()
  const args = [
    ...flushArguments(flushes),
    ...['-c', `core.filesRefLockTimeout=${lockWaitMs}`, '-c', `core.packedRefsTimeout=${lockWaitMs}`],
    ...['-c', `reftable.lockTimeout=${lockWaitMs}`],
    'update-ref',
    // Applies to every ref of the transaction; git cannot do it for a single one.
    ...(updates.some(({ keepsReflog, next }) => keepsReflog === true && next !== null) ? ['--create-reflog'] : []),
    ...['-m', updates[0]?.reflogMessage.replace(/\s+/g, ' ').trim() || 'grite', '--stdin'],
  ]
  const input = Buffer.from(updates.map(formatUpdate).join(''), 'utf8')
  const environment = { ...context.writeEnvironment(), ...committerEnvironment(context.committer) }
  const locks = locksOf(context.layout, updates)
  await breakDeadChildLocks(context, locks)
  let forget = () => {}
  try {
    await git.run(args, {
      input,
      environment,
      onStart(child) {
        forget = noteChildLocks(context, child.pid, locks)
      },
    })
    forget()
  } catch (error) {
    if (!wasKilled(error)) forget()
    const failure = await restate(git, error, updates, Date.now() - startedAt)
    if (failure instanceof RefMovedError || failure instanceof RefLockedError) throw failure
    const moved = await findMoved(git, updates, failure)
    return { moved, failure: moved.length === updates.length ? undefined : failure }
  }
  return { moved: updates, failure: undefined }
}

/**
 * Moves refs one by one, each durably before the next, then deletes the refs to delete. Within one transaction git
 * chooses its own order.
 * @throws {RefMovedError} when one of them does not have its expected value before the first has moved
 */
export async function moveRefsInOrder(
  context: MoveRefsContext,
  updates: readonly RefUpdate[],
): Promise<RefsMovedNatively> {
  const names = updates.map(({ ref }) => ref)
  const rows = await listRefsNatively(context.git, names)
  const values = new Map(rows.map(({ ref, oid }) => [ref, oid]))
  for (const { ref, expected } of updates) {
    const found = values.get(ref) ?? null
    if (found !== expected) throw new RefMovedError(ref, expected, found)
  }
  const deletions = updates.filter(({ next }) => next === null)
  const steps = [...updates.filter(({ next }) => next !== null).map((update) => [update]), deletions]
  const moved: RefUpdate[] = []
  try {
    for (const step of steps) {
      const result = await moveRefsNatively(context, step)
      moved.push(...result.moved)
      if (result.failure !== undefined) return { moved, failure: result.failure }
      await flushRefsNatively(context, step)
    }
    return { moved, failure: undefined }
  } catch (failure) {
    if (moved.length === 0) throw failure
    return { moved, failure }
  }
}

/** @throws {GriteError} the failure, marked as undecided, when the refs cannot be read */
async function findMoved(
  git: GitRunner,
  updates: readonly RefUpdate[],
  failure: unknown,
): Promise<readonly RefUpdate[]> {
  try {
    const rows = await listRefsNatively(
      git,
      updates.map(({ ref }) => ref),
      () => {},
    )
    const values = new Map(rows.map(({ ref, oid }) => [ref, oid]))
    return updates.filter(({ ref, expected, next }) => expected !== next && (values.get(ref) ?? null) === next)
  } catch {
    if (failure instanceof GriteError) failure.addDetails({ written: 'unknown' })
    throw failure
  }
}

/** The lock files that git uses for these refs. */
function locksOf({ refStorage }: RepositoryLayout, updates: readonly RefUpdate[]): readonly string[] {
  if (refStorage === 'reftable') return ['reftable/tables.list.lock']
  const deletes = updates.some(({ next }) => next === null)
  // packed-backend.c: its new content would block the next writer as well.
  return [...updates.map(({ ref }) => `${ref}.lock`), ...(deletes ? ['packed-refs.lock', 'packed-refs.new'] : [])]
}

function formatUpdate({ ref, expected, next }: RefUpdate): string {
  if (next === null) return expected === null ? `verify ${ref}\n` : `delete ${ref} ${expected}\n`
  return expected === null ? `create ${ref} ${next}\n` : `update ${ref} ${next} ${expected}\n`
}

function committerEnvironment(committer: string): Record<string, string> {
  const match = /^(.*?) ?<(.*)> (\d+ [+-]\d{4})$/.exec(committer)
  if (!match) return {}
  const [, name, email, date] = match
  return { GIT_COMMITTER_NAME: name || 'grite', GIT_COMMITTER_EMAIL: email ?? '', GIT_COMMITTER_DATE: `@${date}` }
}

// git's message shows that a race was lost; the ref itself shows the winner's value.
async function restate(
  git: GitRunner,
  error: unknown,
  updates: readonly RefUpdate[],
  waitedMs: number,
): Promise<unknown> {
  if (error instanceof RefLockedError) return new RefLockedError(error.ref, error.lockPath, waitedMs)
  if (!(error instanceof RefMovedError)) return error
  const update = updates.find(({ ref }) => ref === error.ref)
  if (!update) return error
  const found = error.details.found
  const known = typeof found === 'string' && (isOid(found, 'sha1') || isOid(found, 'sha256')) ? found : null
  return new RefMovedError(update.ref, update.expected, known ?? (await readRefNatively(git, update.ref)))
}

/** Makes moved refs durable: git flushes them since 2.36, and never flushes directories. */
export async function flushRefsNatively(
  { disk, layout, flushes }: MoveRefsContext,
  updates: readonly RefUpdate[],
): Promise<void> {
  if (!flushes.references || updates.length === 0) return
  if (layout.refStorage === 'reftable') {
    await disk.flushDirectories([join(layout.commonDir, 'reftable')])
    return
  }
  const paths = updates.map(({ ref }) => looseRefPath(layout, ref))
  const deletes = updates.some(({ next }) => next === null)
  const files: OpenFile[] = []
  try {
    for (const path of [...paths, ...(deletes ? [packedRefsPath(layout)] : [])]) {
      if (existsSync(path)) files.push(disk.openFile(path))
    }
    await disk.flushFiles(files)
  } finally {
    for (const file of files) disk.closeFile(file)
  }
  await disk.flushDirectories([
    ...new Set([...paths.flatMap(foldersUpTo(layout)), ...(deletes ? [layout.commonDir] : [])]),
  ])
}

// git may have created any folder between `refs` and the ref.
function foldersUpTo(layout: RepositoryLayout): (path: string) => readonly string[] {
  return (path) => {
    const folders: string[] = []
    for (let folder = dirname(path); folder.length > layout.commonDir.length; folder = dirname(folder))
      folders.push(folder)
    return folders
  }
}
