import { formatPrime, type PrimeFacts, type PrimeSection } from './format-prime.ts'

/** Approximate characters per token of a language model: a rule of thumb, documented in the help. */
export const charactersPerToken = 4

export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken)
}

/**
 * Trims the facts to the budget: drops recent changes first, then facts about files and the project, then memories, suggested commands, ready issues, and own
 * issues last, each from the end of its list. Dropped issues and memories are counted.
 *
 * @param format - produces the text whose length is limited
 * @returns null when not even the counts fit
 */
export function fitBudget(
  facts: PrimeFacts,
  tokensMax: number,
  format: (facts: PrimeFacts) => string = formatPrime,
): PrimeFacts | null {
  let fitting = facts
  while (estimateTokens(format(fitting)) > tokensMax) {
    const smaller = leaveOneOut(fitting)
    if (smaller === null) return null
    fitting = smaller
  }
  return fitting
}

function leaveOneOut(facts: PrimeFacts): PrimeFacts | null {
  if (facts.recent.length > 0) return withoutLast(facts, 'recent')
  if (facts.context.length > 0) return withoutLast(facts, 'context')
  if (facts.memories.length > 0) return withoutLast(facts, 'memories')
  if (facts.next.length > 0) return { ...facts, next: facts.next.slice(0, -1) }
  if (facts.ready.length > 0) return withoutLast(facts, 'ready')
  return facts.mine.length > 0 ? withoutLast(facts, 'mine') : null
}

function withoutLast(facts: PrimeFacts, section: PrimeSection | 'memories' | 'context'): PrimeFacts {
  return {
    ...facts,
    [section]: facts[section].slice(0, -1),
    left_out: { ...facts.left_out, [section]: facts.left_out[section] + 1 },
  }
}
