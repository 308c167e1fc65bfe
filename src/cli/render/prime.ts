import type { PrimeData } from '../../commands/prime/prime.ts'
import { formatPrime } from '../../tracker/prime/format-prime.ts'
import type { Renderer } from './renderer.ts'

/** The text whose length the budget was for, so nothing is added to it. */
export const renderPrime: Renderer<PrimeData> = (facts) => formatPrime(facts)
