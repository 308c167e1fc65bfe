/**
 * The list of a view that stays open: after a change, only the changed rows are read, and only their blocks are made again. It is kept
 * from the second scan on: most views are listed once, or not again after a change, and need no memory for it.
 *
 * Invariants
 * - A list is the one that `listWhole` gives for the same rows.
 * - It is given only to a reader of the state that it was made from; any other reader scans the rows.
 * - A block stays the same object as long as its rows do.
 */
import type { IssueId } from '../model/index.ts'
import { idPrefixIn, isBefore, isOpenIn, issueIdIn } from './row-text.ts'
import { blockRows, listWhole, type RowBlock, type WholeList } from './whole-list.ts'

/** How a reader reads the rows of its state. */
export interface RowReads {
  /** The texts of all rows, by id. */
  readonly all: () => Promise<readonly string[]>
  /** The texts of some rows; undefined for an issue that is not shown. */
  readonly some: (ids: readonly IssueId[]) => Promise<readonly (string | undefined)[]>
}

/** A longer list is not kept: some 6,000 rows. Of 10,000 rows a daemon would keep 9 MB more even at rest. UTF-16 units. */
const keptLengthMax = 2 * 1024 * 1024
/** After more changes since the last reader a scan is faster. */
const changesMax = 1_000

export class KeptList {
  #version = 0
  #made: MadeList | undefined
  #wasScanned = false
  /** Issues that have changed since the list was made. */
  readonly #changed = new Set<IssueId>()

  /** Increases with each change. */
  get version(): number {
    return this.#version
  }

  noteChanges(ids: Iterable<IssueId>): void {
    this.#version += 1
    if (this.#made === undefined) return
    for (const id of ids) this.#changed.add(id)
    if (this.#changed.size > changesMax) this.forget()
  }

  forget(): void {
    this.#made = undefined
    this.#wasScanned = false
    this.#changed.clear()
  }

  /** @param version - of the state that the reader sees */
  async read(version: number, lengthMin: number, rows: RowReads): Promise<WholeList> {
    const made = this.#made
    if (made === undefined || made.lengthMin !== lengthMin || version !== this.#version) {
      const texts = await rows.all()
      const list = listWhole(texts, lengthMin)
      const isWorthIt = this.#wasScanned && lengthOf(texts) <= keptLengthMax
      this.#wasScanned = true
      if (!isWorthIt || version !== this.#version) return list
      this.#keep(MadeList.of({ ...list, isKept: true }, lengthMin))
      return this.read(version, lengthMin, rows)
    }
    if (this.#changed.size === 0) return made.list
    const texts = await rows.some([...this.#changed])
    // Otherwise the view or another reader has changed it meanwhile.
    if (version === this.#version && this.#made === made) {
      const next = made.with(texts)
      if (next === undefined) this.forget()
      else this.#keep(next)
    }
    return this.read(version, lengthMin, rows)
  }

  #keep(made: MadeList): void {
    this.#made = made
    this.#changed.clear()
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0)
}

class MadeList {
  readonly list: WholeList
  readonly lengthMin: number
  /** The first characters of all ids. */
  readonly #starts: Set<string>

  private constructor(list: WholeList, lengthMin: number, starts: Set<string>) {
    this.list = list
    this.lengthMin = lengthMin
    this.#starts = starts
  }

  static of(list: WholeList, lengthMin: number): MadeList {
    const starts = list.blocks.flatMap(({ texts }) => texts.map((text) => idPrefixIn(text, lengthMin)))
    return new MadeList(list, lengthMin, new Set(starts))
  }

  /**
   * The list with these rows changed or added. Undefined when other rows change with them, in order or short id; this one
   * cannot be used afterwards in any case.
   */
  with(texts: readonly (string | undefined)[]): MadeList | undefined {
    const blocks = [...this.list.blocks]
    let { count, openCount } = this.list
    for (const text of texts) {
      if (text === undefined) return undefined
      const { at, row, present } = findPlace(blocks, text)
      if (present === undefined) {
        const start = idPrefixIn(text, this.lengthMin)
        // An issue whose time of creation has changed, or an id like another.
        if (this.#starts.has(start)) return undefined
        this.#starts.add(start)
        blocks.splice(at, 1, ...insert(blocks[at], row, text, start))
        count += 1
      } else {
        const { texts: former, shortIds } = blocks[at] as RowBlock
        blocks[at] = { texts: former.with(row, text), shortIds }
        openCount -= Number(isOpenIn(present))
      }
      openCount += Number(isOpenIn(text))
    }
    return new MadeList({ blocks, isKept: true, count, openCount }, this.lengthMin, this.#starts)
  }
}

/** Where a row is, or belongs: which block, which row of it, and the present text. */
function findPlace(blocks: readonly RowBlock[], text: string) {
  const found = firstIndex(blocks, ({ texts }) => !isBefore(texts[texts.length - 1] as string, text))
  // After all others: to the last block.
  const at = Math.max(0, Math.min(found, blocks.length - 1))
  const { texts } = blocks[at] ?? emptyBlock
  const row = firstIndex(texts, (other) => !isBefore(other, text))
  const other = texts[row]
  const present = other !== undefined && issueIdIn(other) === issueIdIn(text) ? other : undefined
  return { at, row, present }
}

/** The first index of a list from which on all elements pass; the length when none does. */
function firstIndex<Item>(list: readonly Item[], passes: (item: Item) => boolean): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (passes(list[middle] as Item)) high = middle
    else low = middle + 1
  }
  return low
}

/** A block with a row added, as two when it is long. */
function insert(block: RowBlock = emptyBlock, row: number, text: string, shortId: string): RowBlock[] {
  const { texts, shortIds } = block
  // Mostly the newest issue.
  if (row >= blockRows) return [block, { texts: [text], shortIds: [shortId] }]
  const whole = { texts: texts.toSpliced(row, 0, text), shortIds: shortIds.toSpliced(row, 0, shortId) }
  const { length } = whole.texts
  return length <= blockRows ? [whole] : [cutBlock(whole, 0, length >> 1), cutBlock(whole, length >> 1, length)]
}

function cutBlock({ texts, shortIds }: RowBlock, start: number, end: number): RowBlock {
  return { texts: texts.slice(start, end), shortIds: shortIds.slice(start, end) }
}

const emptyBlock: RowBlock = { texts: [], shortIds: [] }
