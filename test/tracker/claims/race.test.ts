import { describe, it } from 'node:test'
import { raceAmongClones, raceForIssue, raceForNext, raceForOverlap } from './races.ts'

describe('eight processes at once', () => {
  it('that claim one issue in one clone have one winner', (t) => raceForIssue(t, 1))
  it('that claim one issue in eight clones have one winner', (t) => raceAmongClones(t, 1))
  it('that claim the next of four get one each', (t) => raceForNext(t, 1))
  it('that take locks which overlap get one of them', (t) => raceForOverlap(t, 1))
})
