/**
 * Inspects a view without changing it: LevelDB writes into its folder even when it only opens it, so a copy is
 * inspected, and compared with a fresh fold of the log. Both are in a folder that the caller discards.
 */
import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { GitPort, Oid } from '../git/index.ts'
import { StorageError } from '../model/index.ts'
import { type IssueSegment, type IssueStream, readLog } from '../wal/index.ts'
import { type CatchUpOutcome, catchUp } from './catch-up.ts'
import { fillView } from './fill.ts'
import { metaKeys } from './keys.ts'
import { openDiskStore } from './store.ts'
import { View } from './view.ts'
import { ViewDirectory } from './view-directory.ts'

export type CopiedView =
  | { readonly kind: 'view'; readonly view: View }
  /** There is no view yet. */
  | { readonly kind: 'none' }
  /** Another process kept writing to it during the copy. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'too-large'; readonly bytes: number }
  /** Written by another version; the next command replaces it. */
  | { readonly kind: 'other-schema' }
  | { readonly kind: 'unreadable'; readonly reason: string }

export interface CopyRequest {
  /** The `level` folder of the view. */
  readonly level: string
  /** Created; replaces existing content. */
  readonly into: string
  /** A larger view is not copied. */
  readonly bytesMax: number
}

/** Attempts at a copy during which nothing changes. */
const copyAttemptsMax = 5

/** Copies the view in use and opens the copy. */
export async function openCopyOfView({ level, into, bytesMax }: CopyRequest): Promise<CopiedView> {
  const directory = new ViewDirectory(level)
  const current = await directory.readCurrent()
  if (current === undefined) return (await isThere(level)) ? describeWithoutCurrent(level) : { kind: 'none' }
  const copied = await copyQuietly(join(level, `${current}`), into, bytesMax)
  if (copied !== 'copied') return copied
  try {
    const view = await View.over(await openDiskStore(into, { create: false }), {})
    return view === undefined ? { kind: 'other-schema' } : { kind: 'view', view }
  } catch (error) {
    const { cause, message } = error as Error
    return { kind: 'unreadable', reason: cause instanceof Error ? cause.message : message }
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

/** Explains folders without a current view: an interrupted first build, or a damaged `current`. */
async function describeWithoutCurrent(level: string): Promise<CopiedView> {
  const names = await readdir(level).catch(() => null)
  if (names === null) return { kind: 'unreadable', reason: `${level} is not a folder` }
  return names.includes('current')
    ? { kind: 'unreadable', reason: `${level}/current does not name a view` }
    : { kind: 'none' }
}

/** A copy during which no file appeared, vanished or grew is a consistent LevelDB state. */
async function copyQuietly(from: string, into: string, bytesMax: number): Promise<CopiedView | 'copied'> {
  for (let attempt = 1; attempt <= copyAttemptsMax; attempt++) {
    const before = await listFiles(from)
    if (before === null) return { kind: 'unreadable', reason: `${from} does not exist` }
    const bytes = before.reduce((sum, file) => sum + file.size, 0)
    if (bytes > bytesMax) return { kind: 'too-large', bytes }
    await rm(into, { recursive: true, force: true })
    await mkdir(into, { recursive: true })
    try {
      for (const { name } of before) await copyFile(join(from, name), join(into, name))
    } catch (error) {
      // LevelDB removes merged files.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      return { kind: 'unreadable', reason: (error as Error).message }
    }
    const after = await listFiles(from)
    if (JSON.stringify(before) === JSON.stringify(after)) return 'copied'
  }
  return { kind: 'busy' }
}

async function listFiles(folder: string) {
  const names = await readdir(folder).catch(() => null)
  if (names === null) return null
  const files = []
  for (const name of names.sort()) {
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found?.isFile()) files.push({ name, size: found.size, mtimeMs: found.mtimeMs, ino: found.ino })
  }
  return files
}

/**
 * Catches a copied view up as the next command would, but moves no ref.
 *
 * @returns the outcome of a catch-up; `read-only`: the log lacks former events
 */
export async function catchUpCopy(git: GitPort, stream: IssueStream, view: View): Promise<CatchUpOutcome> {
  const publish = async () => {
    throw new StorageError('an inspection restores nothing')
  }
  // The fold finds the same problems.
  return catchUp({
    git: { ...git, publish },
    stream,
    view,
    clock: { nowUnixMs: () => 0 },
    report: () => {},
    warn: () => {},
  })
}

/** Folds the log below a head into a separate new view. */
export async function foldBeside(
  git: GitPort,
  stream: IssueStream,
  { head, into, inspect }: FoldRequest,
): Promise<View> {
  await mkdir(into, { recursive: true })
  const view = (await View.over(await openDiskStore(into, { create: true }), { deferred: true })) as View
  try {
    const source = (oid: Oid) => inspected(git, stream, oid, inspect)
    if (head !== null) await fillView(view, { head, source: source(head), report: () => {} })
    return view
  } catch (error) {
    await view.close()
    throw error
  }
}

export interface FoldRequest {
  readonly head: Oid | null
  /** Folder of the new view. */
  readonly into: string
  /** Receives every segment, parents before children. */
  readonly inspect: (segments: readonly IssueSegment[]) => void
}

async function* inspected(git: GitPort, stream: IssueStream, head: Oid, inspect: FoldRequest['inspect']) {
  for await (const segments of readLog(git, stream, { head })) {
    inspect(segments)
    yield segments
  }
}

export interface ViewDifferences {
  readonly count: number
  /** The first few keys, up to their ids. */
  readonly keys: readonly string[]
}

/** Compares everything in two views except their own metadata. */
export async function compareViews(left: View, right: View, keysMax: number): Promise<ViewDifferences> {
  const keys: string[] = []
  let count = 0
  const differ = (key: Buffer) => {
    count += 1
    if (keys.length < keysMax) keys.push(describeKey(key))
  }
  const [lefts, rights] = [left.store.iterator(), right.store.iterator()]
  try {
    let [mine, theirs] = [await nextFact(lefts), await nextFact(rights)]
    while (mine !== undefined || theirs !== undefined) {
      const order = mine === undefined ? 1 : theirs === undefined ? -1 : Buffer.compare(mine[0], theirs[0])
      if (order !== 0) differ((order < 0 ? mine : theirs)?.[0] as Buffer)
      else if (mine !== undefined && theirs?.[1].equals(mine[1]) === false) differ(mine[0])
      if (order <= 0) mine = await nextFact(lefts)
      if (order >= 0) theirs = await nextFact(rights)
    }
  } finally {
    await Promise.all([lefts.close(), rights.close()])
  }
  return { count, keys }
}

type Entry = [key: Buffer, value: Buffer]

async function nextFact(iterator: { next(): Promise<Entry | undefined> }): Promise<Entry | undefined> {
  for (;;) {
    const entry = await iterator.next()
    if (entry === undefined || !isMeta(entry[0])) return entry
  }
}

const meta = metaKeys()

function isMeta(key: Buffer): boolean {
  return Buffer.compare(key, meta.gte) >= 0 && Buffer.compare(key, meta.lt) < 0
}

/** `issue_state/` and the bytes after it as hex. */
function describeKey(key: Buffer): string {
  const end = key.indexOf('/') + 1
  return key.toString('latin1', 0, end) + key.subarray(end, end + 32).toString('hex')
}
