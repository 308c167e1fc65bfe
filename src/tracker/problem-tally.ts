import type { LogProblem } from '../wal/index.ts'

/** Counts the problems of a log and keeps the first of them: a log may have any number. */
export class ProblemTally {
  readonly problems: LogProblem[] = []
  problemCount = 0
  damagedCount = 0
  readonly #keptMax: number

  /** @param keptMax - further problems are only counted */
  constructor(keptMax: number) {
    this.#keptMax = keptMax
  }

  take(problems: readonly LogProblem[]): void {
    for (const problem of problems) {
      this.problemCount += 1
      if (problem.severity === 'damaged') this.damagedCount += 1
      if (this.problems.length < this.#keptMax) this.problems.push(problem)
    }
  }
}
