import { describe, it } from 'node:test'
import { raceAmongClones, raceAsOneActor, raceForIssue, raceForNext, raceForOverlap } from '../tracker/claims/races.ts'

describe('eight processes at once, again and again', () => {
  it('that claim one issue in one clone have one winner each time', (t) => raceForIssue(t, 3))
  it('that claim one issue as one actor have one winner each time', (t) => raceAsOneActor(t, 2))
  it('that claim one issue in eight clones have one winner each time', (t) => raceAmongClones(t, 10))
  it('that claim the next of four get one each', (t) => raceForNext(t, 2))
  it('that take locks which overlap get one of them', (t) => raceForOverlap(t, 3))
})
