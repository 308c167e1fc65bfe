/** Settings of V8 for the work of one command. V8 rejects compiled code that was made under other settings. */
import { setFlagsFromString } from 'node:v8'

/**
 * Bounds the heap, and makes V8 optimize later and inline less, for a command that processes much data in one run: otherwise half of
 * its processor time goes into the optimizing compiler.
 *
 * @param firstGrowthPercent - how much the heap may grow after its first collection, when it is still small
 * @returns ends it, so that compiled code can be saved
 */
export function prepareForBulk(heapGrowthPercent: number, firstGrowthPercent = heapGrowthPercent): () => void {
  setHeapGrowth(firstGrowthPercent)
  let isOver = false
  afterCollection(() => {
    if (!isOver) setHeapGrowth(heapGrowthPercent)
  })
  apply(late)
  return () => {
    isOver = true
    setHeapGrowth(heapGrowthByV8)
    apply(usual)
  }
}

function setHeapGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}

/** Calls back once the whole heap has been collected. */
function afterCollection(callback: () => void): void {
  collections.register({}, callback)
}

const collections = new FinalizationRegistry<() => void>((callback) => callback())

/** V8 chooses the growth itself. */
const heapGrowthByV8 = 0

interface OptimizerSettings {
  /** Bytes of bytecode that a function runs before V8 considers it for optimization. */
  readonly budget: number
  /** Bytes of bytecode that are inlined into one function at most. */
  readonly inlined: number
}

/** V8's defaults. */
const usual: OptimizerSettings = { budget: 66 * 1024, inlined: 920 }
/** For a second of work or more. A later budget saves some more processor time, but the main thread takes a sixth longer. */
const late: OptimizerSettings = { budget: 4 * usual.budget, inlined: 200 }
/** For a third of a second: little of the code has been optimized by then. */
const veryLate: OptimizerSettings = { budget: 16 * usual.budget, inlined: 200 }

/**
 * Makes V8 optimize later and inline less, for a sync: a process that lives for so short a time otherwise spends a third of its
 * processor time in the optimizing compiler, on threads that the git beside it needs.
 *
 * @returns ends it, so that compiled code can be saved
 */
export function postponeOptimization(): () => void {
  apply(veryLate)
  return () => apply(usual)
}

function apply({ budget, inlined }: OptimizerSettings): void {
  setFlagsFromString(`--interrupt-budget=${budget}`)
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${inlined}`)
}
