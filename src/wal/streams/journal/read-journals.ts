import { join } from 'node:path'
import { errnoOf } from './journal-disk.ts'
import { type JournalDamage, JournalFile } from './journal-file.ts'
import { formatJournalName, type JournalName, type JournalPlace, listOwnJournals, sortNames } from './journal-place.ts'
import type { JournalBatch } from './read-frames.ts'

/** Listing a folder while files come and go can miss one; then it is listed again. */
const listingsMax = 10

/**
 * All journals of one generation, open and judged, in the order of their offsets. The files stay readable when another
 * process removes them.
 */
export class JournalState {
  /** Every file, including replaced ones. */
  readonly all: readonly JournalFile[]
  /** The files that hold the records: without those that another file replaced after a fault. */
  readonly files: readonly JournalFile[]
  readonly damage: readonly JournalDamage[]

  constructor(all: readonly JournalFile[], files: readonly JournalFile[], gaps: readonly JournalDamage[]) {
    this.all = all
    this.files = files
    this.damage = [...files.flatMap(({ damage }) => damage), ...gaps]
  }

  /** The file that appends go to; undefined without files. */
  get last(): JournalFile | undefined {
    return this.files.at(-1)
  }

  /** The lowest offset that the files may hold; null without files. */
  get firstOffset(): number | null {
    return this.files[0]?.firstOffset ?? null
  }

  /** The offset after the last record; null without files. */
  get nextOffset(): number | null {
    return this.last?.nextOffset ?? null
  }

  /**
   * What is wrong with the journals from the first one on that has records which the commit does not hold.
   * @param sealedOffset - the next offset of the commit
   */
  damageAbove(sealedOffset: number): readonly JournalDamage[] {
    const { files } = this
    const sealed = files.filter((_file, index) => (files[index + 1]?.firstOffset ?? Number.MAX_VALUE) <= sealedOffset)
    const paths = new Set(sealed.map(({ path }) => path))
    return this.damage.filter(({ path, lost }) => !paths.has(path) && (lost === null || lost.to > sealedOffset))
  }

  /** The batches with records at or above an offset, in order. A batch may begin below it. */
  *batchesFrom(offset: number): Generator<JournalBatch, void, undefined> {
    let from = offset
    for (const file of this.files) {
      for (const batch of file.batchesFrom(from)) {
        // After damage, files may overlap.
        if (batch.firstOffset < from && batch.firstOffset + batch.records.length <= from) continue
        yield batch
        from = batch.firstOffset + batch.records.length
      }
    }
  }

  /** The state of the same files, after they have grown; null when one between two others is missing. */
  reordered(): JournalState | null {
    const { files, gaps, isTorn } = order(this.all)
    return isTorn ? null : new JournalState(this.all, files, gaps)
  }

  close(): void {
    for (const file of this.all) file.close()
  }
}

/**
 * Opens and judges the journals of one generation. Read the stream's ref only after this: then every record is in the
 * journals or in the commit. When `firstOffset` is above the next offset of the commit, both changed: begin again.
 *
 * @param how - `append` for a writer, which may append to the last file
 * @param listed - their names, from a list of the folder that was read just before
 */
export function readJournals(
  place: JournalPlace,
  how: 'read' | 'append' = 'read',
  listed?: readonly JournalName[],
): JournalState {
  for (let listings = 1; ; listings++) {
    const names = listings === 1 && listed !== undefined ? sortNames(listed) : listOwnJournals(place)
    const files = openAll(place, how, names)
    // A file that replaces another can be missed together with it, but not twice.
    const isUnsure = files.length === 0 ? listings === 1 : false
    const state = isUnsure ? null : order(files)
    if (state !== null && (!state.isTorn || listings >= listingsMax))
      return new JournalState(files, state.files, state.gaps)
    for (const file of files) file.close()
  }
}

function openAll(place: JournalPlace, how: 'read' | 'append', names: readonly JournalName[]): readonly JournalFile[] {
  const files: JournalFile[] = []
  try {
    for (const name of names) {
      const path = join(place.folder, formatJournalName(name))
      let descriptor: number
      try {
        descriptor = place.disk.open(path, how)
      } catch (error) {
        // Sealed and removed since the folder was listed.
        if (errnoOf(error) === 'ENOENT') continue
        throw error
      }
      const file = new JournalFile(place, path, name, descriptor)
      files.push(file)
      file.judge()
    }
    return files
  } catch (error) {
    for (const file of files) file.close()
    throw error
  }
}

interface Ordered {
  readonly files: readonly JournalFile[]
  /** A file between two others is missing. */
  readonly isTorn: boolean
  readonly gaps: readonly JournalDamage[]
}

function order(files: readonly JournalFile[]): Ordered {
  const byToken = new Map(files.map((file) => [file.token, file]))
  const successors = new Map<JournalFile, JournalFile>()
  for (const file of files) {
    const previous = file.open?.previous
    const before = previous ? byToken.get(previous.token) : undefined
    if (before === undefined || previous == null) continue
    if (before.closed === null) before.endAt(previous.end)
    successors.set(before, file)
  }
  for (const file of files) {
    const after = file.closed === null ? undefined : byToken.get(file.closed.nextToken)
    if (after !== undefined && !successors.has(file)) successors.set(file, after)
  }
  const chained = chain(files, successors).filter((file) => {
    const isReplaced = file.closed?.reason === 'fault' && successors.has(file)
    return !isReplaced
  })
  const gaps = findGaps(chained)
  return { files: chained, isTorn: gaps.length > 0, gaps }
}

/** By first offset; files with the same one in the order in which they follow each other. */
function chain(
  files: readonly JournalFile[],
  successors: ReadonlyMap<JournalFile, JournalFile>,
): readonly JournalFile[] {
  const followers = new Set(successors.values())
  const chained = new Set<JournalFile>()
  const heads = files.filter((file) => !followers.has(file))
  // In a circle of damaged files, every file follows another.
  for (const head of [...heads, ...files])
    for (
      let file: JournalFile | undefined = head;
      file !== undefined && !chained.has(file);
      file = successors.get(file)
    )
      chained.add(file)
  return [...chained].sort((left, right) => left.firstOffset - right.firstOffset)
}

/** Offsets between two files. After a barrier the act may have added records to the commit. */
function findGaps(files: readonly JournalFile[]): readonly JournalDamage[] {
  return files.flatMap((file, index): readonly JournalDamage[] => {
    const next = files[index + 1]
    if (next === undefined || file.closed?.reason === 'barrier' || next.firstOffset <= file.nextOffset) return []
    const place = { path: file.path, start: file.judgedSize, end: file.judgedSize }
    return [{ kind: 'gap', ...place, lost: { from: file.nextOffset, to: next.firstOffset } }]
  })
}
