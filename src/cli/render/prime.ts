import type { PrimeData } from '../../commands/prime/prime.ts'
import { formatPrime } from '../../tracker/prime/format-prime.ts'
import type { Renderer } from './renderer.ts'

/** Prints exactly the text to which the budget applies. */
export const renderPrime: Renderer<PrimeData> = (facts) => formatPrime(facts)
