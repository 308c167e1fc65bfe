import type { LogProblem } from '../wal/index.ts'

/** What is wrong with a log: all of it is counted, the first of it kept. A log may hold any number of problems. */
export class ProblemTally {
  readonly problems: LogProblem[] = []
  problemCount = 0
  damagedCount = 0
  readonly #keptMax: number

  /** @param keptMax - problems beyond these are only counted */
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
