/** Suggestions for mistyped words: the nearest candidates by edit distance. */
import leven from 'leven'

/** More suggestions do not help. */
export const suggestionCountMax = 3

/** The candidates close to the written word, nearest first; a candidate that it is a prefix of counts as close. */
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

/** Allowed edits, summed over the words that differ. Swapping two letters takes two, so words of four letters get two. */
function tolerance(written: string, candidate: string): number {
  const meant = candidate.split(' ')
  const differing = written.split(' ').filter((word, index) => word !== meant[index])
  return differing.reduce((sum, word) => sum + (word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))), 0)
}

const lastWord = (text: string) => text.split(' ').at(-1) ?? ''
