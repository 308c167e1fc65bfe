const numbersOfFrame = 4

/**
 * Where the frames of records of one file are, in the order of the file: byte positions, and offsets. A file has
 * thousands, so they are plain numbers, four for each frame, which another thread takes as they are.
 */
export class FrameList {
  readonly #numbers: number[]

  constructor(numbers: Iterable<number> = []) {
    this.#numbers = [...numbers]
  }

  get length(): number {
    return this.#numbers.length / numbersOfFrame
  }

  add(start: number, end: number, firstOffset: number, count: number): void {
    this.#numbers.push(start, end, firstOffset, count)
  }

  clear(): void {
    this.#numbers.length = 0
  }

  startOf(index: number): number {
    return this.#numbers[numbersOfFrame * index] as number
  }

  endOf(index: number): number {
    return this.#numbers[numbersOfFrame * index + 1] as number
  }

  firstOffsetOf(index: number): number {
    return this.#numbers[numbersOfFrame * index + 2] as number
  }

  countOf(index: number): number {
    return this.#numbers[numbersOfFrame * index + 3] as number
  }

  /** Index of the first frame with a record at or above an offset; the length without one. */
  indexOf(offset: number): number {
    let [low, high] = [0, this.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.firstOffsetOf(middle) + this.countOf(middle) <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The numbers of the frames with records at or above an offset. */
  numbersFrom(offset: number): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.#numbers.slice(numbersOfFrame * this.indexOf(offset)))
  }
}
