import type { PrimeData } from '../../commands/prime/prime.ts'
import { formatPrime } from '../../tracker/prime/format-prime.ts'
import type { Renderer } from './renderer.ts'
import { wrapProse } from './wrap-prose.ts'

/** Prints exactly the text to which the budget applies; a terminal gets the same words in shorter lines. */
export const renderPrime: Renderer<PrimeData> = (facts, { width }) => wrapProse(formatPrime(facts), width)
