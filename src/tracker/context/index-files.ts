/**
 * Brings the facts about source files up to date: what changed is parsed, what is gone is noted as removed.
 *
 * Invariants
 * - A file whose content is the recorded one has no event. Running it again with nothing changed writes nothing.
 * - A file that cannot be parsed costs its own facts only.
 * - Facts of files outside the given paths and pattern stay as they are.
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Oid } from '../../git/index.ts'
import {
  type EventBodyOf,
  InvalidArgsError,
  isRemovedFile,
  limits,
  removedFile,
  type Sha256Hex,
  sortForLog,
  summarize,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { Progress } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { openNames } from './find-symbols.ts'
import { type ContentKey, type KnownContent, keepKnownContents, readKnownContents } from './known-contents.ts'
import { type ListOptions, listRevision, listWorkTree, type Source, type Sources } from './list-sources.ts'
import type { LeftOut } from './parse-messages.ts'
import { type Parsed, ParsePool } from './parse-pool.ts'
import { parseWorkerPath } from './parse-worker-path.ts'
import { readSource, sourceBytesMax } from './read-source.ts'

type FileBody = EventBodyOf<'ContextUpdated'>

export interface IndexOptions extends ListOptions {
  /** A commit whose files are indexed; undefined for those of the work tree. */
  readonly rev: string | undefined
  /** Indexes files also when their content is the recorded one. */
  readonly force: boolean
  /** Whether facts of files that are gone are removed. */
  readonly prune: boolean
  readonly progress: Progress
  readonly interrupted: AbortSignal
}

export interface Indexed {
  readonly indexed: number
  readonly unchanged: number
  readonly removed: number
  readonly totalFiles: number
  /** Files without facts, by the reason. */
  readonly leftOut: ReadonlyMap<LeftOut, number>
  /** Files that should have facts and could not be parsed or read. */
  readonly failed: readonly { readonly path: string; readonly reason: LeftOut }[]
  readonly head: Oid | null
}

/** Room for the card of an actor. */
const eventsPerCommit = limits.batchEventsMax - 1
/** Their records are smaller than their JSON; the rest is for the card. */
const bytesPerCommit = limits.batchBytesMax - 64 * 1024
/** Of a content that ended or held up its thread. */
const noHash = '0'.repeat(64)
/** Reasons that somebody should look at. */
const failures: ReadonlySet<LeftOut> = new Set<LeftOut>(['unreadable', 'too-slow', 'crashed'])

export async function indexFiles(repository: Workspace, options: IndexOptions): Promise<Indexed> {
  const [listed, view] = await Promise.all([listSources(repository, options), repository.view()])
  const run = new IndexRun(repository, view, listed, options)
  return run.finish()
}

function listSources({ git, layout }: Workspace, options: IndexOptions): Promise<Sources> {
  if (options.rev !== undefined) return listRevision(git, options.rev, options)
  if (layout.workTree !== null) return listWorkTree(git, layout.workTree, options)
  throw new InvalidArgsError('this repository has no work tree: --rev must name a commit', {
    details: { field: 'rev' },
  })
}

class IndexRun {
  readonly #repository: Workspace
  readonly #view: View
  readonly #head: Oid | null
  readonly #listed: Sources
  readonly #options: IndexOptions
  readonly #bodies: FileBody[] = []
  readonly #leftOut = new Map<LeftOut, number>()
  readonly #failed: { path: string; reason: LeftOut }[] = []
  /** Files that have facts afterwards. */
  readonly #present = new Set<string>()
  readonly #contents = new Map<ContentKey, KnownContent>()
  /** SHA-256 of the files that differ from git's index, by path. */
  readonly #modified = new Map<string, string>()
  #unchanged = 0

  constructor(repository: Workspace, view: View, listed: Sources, options: IndexOptions) {
    this.#repository = repository
    this.#view = view
    this.#head = view.head as Oid | null
    this.#listed = listed
    this.#options = options
  }

  async finish(): Promise<Indexed> {
    const { sources, leftOut } = this.#listed
    const recorded = new Map((await this.#view.fileContexts()).map(({ body }) => [body.path, body]))
    for (const reason of leftOut.values()) this.#count(reason)
    await this.#parse(recorded)
    const indexed = this.#bodies.length
    if (this.#options.prune) this.#removeOthers(recorded)
    const head = await this.#write()
    // The first query would do it.
    if (this.#bodies.length > 0) await openNames(await this.#repository.view(), await this.#repository.viewPlace())
    await keepKnownContents(this.#repository.paths, this.#contents)
    return {
      ...{ indexed, unchanged: this.#unchanged, removed: this.#bodies.length - indexed, head },
      ...{ totalFiles: sources.length + leftOut.size, leftOut: this.#leftOut, failed: this.#failed },
    }
  }

  #count(reason: LeftOut): void {
    this.#leftOut.set(reason, (this.#leftOut.get(reason) ?? 0) + 1)
  }

  /** Parses what is not known to be unchanged. */
  async #parse(recorded: ReadonlyMap<string, FileBody>): Promise<void> {
    const known = readKnownContents(this.#repository.paths)
    const { force, progress, interrupted, paths, pattern } = this.#options
    // Of the files that are not looked at, too.
    if (paths.length > 0 || pattern !== null) for (const [blob, content] of known) this.#contents.set(blob, content)
    await this.#hashModified()
    const changed = this.#listed.sources.filter((source) => {
      const { path } = source
      const key = this.#keyOf(source)
      const content = key === undefined ? undefined : known.get(key)
      if (key === undefined || content === undefined || force) return true
      const { hash, leftOut } = content
      if (leftOut === null && recorded.get(path)?.content_hash !== hash) return true
      this.#contents.set(key, content)
      if (leftOut !== null) this.#count(leftOut)
      else {
        this.#present.add(path)
        this.#unchanged += 1
      }
      return false
    })
    if (changed.length === 0) return
    const pool = new ParsePool({ program: parseWorkerPath, expected: changed.length, cores: availableParallelism() })
    const stop = () => void pool.close()
    interrupted.addEventListener('abort', stop)
    try {
      let done = 0
      await Promise.all(
        changed.map(async (source) => {
          this.#take(source, recorded.get(source.path), await this.#parseOne(pool, source, recorded))
          done += 1
          progress.report(done, changed.length)
        }),
      )
      interrupted.throwIfAborted()
    } finally {
      interrupted.removeEventListener('abort', stop)
      await pool.close()
    }
  }

  /** One after the other: they are few, and none is as large as the memory of many at once. */
  async #hashModified(): Promise<void> {
    const { workTree } = this.#repository.layout
    for (const { path, blob, isOnDisk } of this.#listed.sources) {
      if (blob !== null || !isOnDisk || workTree === null) continue
      const content = await readSource(join(workTree, path))
      if (typeof content === 'string') continue
      this.#modified.set(path, createHash('sha256').update(content).digest('hex'))
    }
  }

  /** Undefined for a file that cannot be read. */
  #keyOf({ path, blob }: Source): ContentKey | undefined {
    return blob ?? this.#modified.get(path)
  }

  async #parseOne(pool: ParsePool, source: Source, recorded: ReadonlyMap<string, FileBody>): Promise<Parsed> {
    const { path, language } = source
    const knownHash = this.#options.force ? null : (recorded.get(path)?.content_hash ?? null)
    const place = await this.#contentOf(source)
    if (place === null) return { contentHash: null, symbols: null, leftOut: 'unreadable' }
    return pool.parse({ language, source: place, knownHash })
  }

  /** The path of a file in the work tree, or the content from git; null when git does not have it. */
  async #contentOf({ path, blob, isOnDisk }: Source): Promise<Uint8Array | string | null> {
    const { layout, git } = this.#repository
    if (isOnDisk && layout.workTree !== null) return join(layout.workTree, path)
    if (blob === null) return null
    const object = await git.readObject(blob, sourceBytesMax)
    return object?.content ?? null
  }

  #take(source: Source, before: FileBody | undefined, parsed: Parsed): void {
    const { path, language } = source
    const { contentHash, symbols, leftOut } = parsed
    const key = this.#keyOf(source)
    const isUnread = leftOut === 'unreadable' || (leftOut === null && contentHash === null)
    // A file may have changed since it was hashed.
    const isOther = source.blob === null && contentHash !== null && contentHash !== key
    if (key !== undefined && !isUnread && !isOther) this.#contents.set(key, { hash: contentHash ?? noHash, leftOut })
    if (leftOut !== null) {
      this.#count(leftOut)
      if (!failures.has(leftOut)) return
      this.#failed.push({ path, reason: leftOut })
      if (leftOut === 'unreadable') this.#present.add(path)
      return
    }
    this.#present.add(path)
    if (symbols === null || contentHash === null) {
      this.#unchanged += 1
      return
    }
    const body: FileBody = {
      ...{ type: 'ContextUpdated', path, language, symbols: sortForLog(symbols) },
      ...{ summary: summarize(path, language, symbols), content_hash: contentHash as Sha256Hex },
    }
    // With --force: the same facts are no change.
    if (before !== undefined && isDeepStrictEqual(before, body)) this.#unchanged += 1
    else this.#bodies.push(body)
  }

  /** Notes the recorded files that are gone, or no longer wanted, as removed. */
  #removeOthers(recorded: ReadonlyMap<string, FileBody>): void {
    const { paths, pattern } = this.#options
    const isMeant = (path: string) =>
      (pattern === null || pattern.test(path)) &&
      (paths.length === 0 || paths.some((each) => each === '' || path === each || path.startsWith(`${each}/`)))
    for (const body of recorded.values()) {
      if (isRemovedFile(body) || this.#present.has(body.path) || !isMeant(body.path)) continue
      this.#bodies.push(removedFile(body.path))
    }
  }

  async #write(): Promise<Oid | null> {
    let head: Oid | null = this.#head
    for (const part of partsOf(this.#bodies)) {
      const written = await this.#repository.write(async (draft) => {
        for (const body of part) await draft.setFileContext(body)
      })
      head = written.head ?? head
    }
    return head
  }
}

/** Ids and signature of an event, and kind and lines of a symbol, at most. Bytes. */
const [eventBytes, symbolBytes] = [256, 32]

/** At least as many bytes as the record takes. */
function sizeOf({ path, summary, symbols }: FileBody): number {
  const names = symbols.reduce((sum, { name }) => sum + Buffer.byteLength(name) + symbolBytes, 0)
  return eventBytes + Buffer.byteLength(path) + Buffer.byteLength(summary) + names
}

/** Parts that each fit into a commit. */
function partsOf(bodies: readonly FileBody[]): FileBody[][] {
  const parts: FileBody[][] = []
  let bytes = 0
  for (const body of bodies) {
    const size = sizeOf(body)
    const part = parts.at(-1)
    if (part !== undefined && part.length < eventsPerCommit && bytes + size <= bytesPerCommit) {
      part.push(body)
      bytes += size
    } else {
      parts.push([body])
      bytes = size
    }
  }
  return parts
}
