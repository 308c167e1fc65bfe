import { formatPrime, type PrimeFacts } from '../../tracker/prime/format-prime.ts'
import type { Renderer } from './renderer.ts'

/** The text whose length the budget was for, so nothing is added to it. */
export const renderPrime: Renderer<PrimeFacts> = (facts) => formatPrime(facts)
