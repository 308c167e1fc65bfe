/** What somebody may have meant: the nearest of some words, by edit distance. */
import leven from 'leven'

/** More candidates than this help nobody. */
export const suggestionCountMax = 3

/**
 * Those of `candidates` that are close to what was written, nearest first; one that goes on from it counts as close.
 */
export function nearWords(written: string, candidates: readonly string[]): string[] {
  const folded = written.toLowerCase()
  return [...new Set(candidates)]
    .map((word) => {
      const distanceMax = tolerance(folded, word)
      const startsAlike = lastWord(folded).length >= 2 && lastWord(word).startsWith(lastWord(folded))
      const distance = startsAlike ? 0.5 : leven(folded, word, { maxDistance: distanceMax + 1 })
      return { word, distance, distanceMax }
    })
    .filter(({ distance, distanceMax }) => distance <= distanceMax)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, suggestionCountMax)
    .map(({ word }) => word)
}

/** For each word that differs: a swap of two letters, which counts as two mistakes, from four letters on. */
function tolerance(written: string, candidate: string): number {
  const meant = candidate.split(' ')
  const differing = written.split(' ').filter((word, index) => word !== meant[index])
  return differing.reduce((sum, word) => sum + (word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))), 0)
}

const lastWord = (text: string) => text.split(' ').at(-1) ?? ''
