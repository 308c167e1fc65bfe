/** A binary heap of numbers, the smallest on top. */
export class NumberHeap {
  readonly #numbers: number[] = []

  push(number: number): void {
    const numbers = this.#numbers
    let index = numbers.length
    numbers.push(number)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if ((numbers[parent] as number) <= number) break
      numbers[index] = numbers[parent] as number
      index = parent
    }
    numbers[index] = number
  }

  /** Removes the smallest; undefined when the heap is empty. */
  pop(): number | undefined {
    const numbers = this.#numbers
    const smallest = numbers[0]
    const last = numbers.pop()
    if (last === undefined || numbers.length === 0) return smallest
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= numbers.length) break
      if (child + 1 < numbers.length && (numbers[child + 1] as number) < (numbers[child] as number)) child += 1
      if ((numbers[child] as number) >= last) break
      numbers[index] = numbers[child] as number
      index = child
    }
    numbers[index] = last
    return smallest
  }
}
