/** Symbols of the repository by their names, and whether their files are as they were when they were indexed. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { RepositoryLayout, SharedPermissions } from '../../git/index.ts'
import { type FileContext, type NameMatching, NameTable, type SourceSymbol } from '../../model/index.ts'
import { readNames, type SymbolName, type View, writeNames } from '../../view/index.ts'
import { readSource } from './read-source.ts'

/** `fresh`: as indexed; `changed` since; `missing` from the work tree, or there is none. */
export type FileState = 'fresh' | 'changed' | 'missing'

export interface FoundSymbol {
  readonly file: FileContext
  readonly symbol: SourceSymbol
}

export interface SymbolQuery {
  readonly text: string
  readonly matching: NameMatching
  /** Only symbols of this kind; undefined for all. */
  readonly kind: string | undefined
  readonly limit: number
}

export interface FoundSymbols {
  readonly found: readonly FoundSymbol[]
  /** Whether there are more than the limit. */
  readonly isCut: boolean
}

/** Keys read for a first answer to a prefix; most queries have fewer matches. */
const firstKeys = 1000
/** Names, and files, that are read at once. */
const readAtOnce = 64
/** Symbols of a repository whose names are kept in a file; the names of fewer are soon read. */
const keptNamesMin = 2000

/** The place of the view, where a file with the names may be. */
export interface NamesPlace {
  readonly folder: string
  readonly permissions: SharedPermissions
}

/** Finds symbols, the best matches first; those of one name by path and line. */
export async function findSymbols(view: View, place: NamesPlace, query: SymbolQuery): Promise<FoundSymbols> {
  const { matching, text, limit } = query
  const found: FoundSymbol[] = []
  const places =
    matching === 'prefix'
      ? placesOfPrefix(view, text, limit)
      : placesOfNames(view, (await openNames(view, place)).match(text, matching))
  for await (const some of places) {
    await resolvePlaces(view, some, query, found)
    if (found.length > limit) break
  }
  return { found: found.slice(0, limit), isCut: found.length > limit }
}

/** The order of the keys is that of the ranks: the first keys are the best matches. */
async function* placesOfPrefix(view: View, prefix: string, limit: number): AsyncGenerator<readonly SymbolName[]> {
  const keysMax = Math.max(firstKeys, 4 * limit)
  const first = await view.symbolNames(prefix, keysMax)
  yield first
  if (first.length === keysMax) yield (await view.symbolNames(prefix)).slice(keysMax)
}

async function* placesOfNames(view: View, names: Iterable<string>): AsyncGenerator<readonly SymbolName[]> {
  for (const some of chunksOf(names)) {
    const paths = await view.pathsOfSymbols(some)
    yield some.flatMap((name, index) => (paths[index] ?? []).map((path) => ({ name, path })))
  }
}

function* chunksOf<Item>(items: Iterable<Item>): Generator<Item[]> {
  let chunk: Item[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < readAtOnce) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/** All names, from their file if it is of the present symbols; otherwise keeps them in it. */
export async function openNames(view: View, { folder, permissions }: NamesPlace): Promise<NameTable> {
  const mark = await view.symbolsMark()
  const kept = mark === undefined ? undefined : readNames(folder, mark)
  if (kept !== undefined) return kept
  const names = await view.symbolNames('')
  const table = NameTable.of(names.map(({ name }) => name))
  // Of a view that changed meanwhile, they are the names of no mark.
  const isSame = mark !== undefined && (await view.symbolsMark()) === mark
  if (names.length >= keptNamesMin && view.isOnDisk && isSame) writeNames(folder, mark, table, permissions)
  return table
}

/** Adds the symbols at the places, until there is one more than the limit. */
async function resolvePlaces(
  view: View,
  places: readonly SymbolName[],
  { kind, limit }: SymbolQuery,
  found: FoundSymbol[],
): Promise<void> {
  const files = new Map<string, FileContext>()
  for (const some of chunksOf(places)) {
    const unknown = new Set(some.map(({ path }) => path).filter((path) => !files.has(path)))
    for (const file of await view.findFileContexts([...unknown])) files.set(file.body.path, file)
    for (const { name, path } of some) {
      const file = files.get(path)
      if (file === undefined) continue
      for (const symbol of symbolsNamed(file, name)) {
        if (kind === undefined || symbol.kind === kind) found.push({ file, symbol })
      }
      if (found.length > limit) return
    }
  }
}

function symbolsNamed({ body }: FileContext, wanted: string): SourceSymbol[] {
  return body.symbols.filter(({ name }) => name === wanted).sort((a, b) => a.lineStart - b.lineStart)
}

/** Whether files are as they were indexed. Reads each file once. */
export class FileStates {
  readonly #workTree: string | null
  readonly #known = new Map<string, Promise<FileState>>()

  constructor({ workTree }: Pick<RepositoryLayout, 'workTree'>) {
    this.#workTree = workTree
  }

  of({ body }: FileContext): Promise<FileState> {
    const known = this.#known.get(body.path) ?? this.#look(body)
    this.#known.set(body.path, known)
    return known
  }

  async #look({ path, content_hash }: FileContext['body']): Promise<FileState> {
    if (this.#workTree === null) return 'missing'
    const content = await readSource(join(this.#workTree, path))
    if (content === 'large') return 'changed'
    if (content === 'unreadable') return 'missing'
    return createHash('sha256').update(content).digest('hex') === content_hash ? 'fresh' : 'changed'
  }
}
