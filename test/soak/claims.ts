/** A hundred rounds of every race for claims and locks. SOAK_ROUNDS sets their number. */
import { test } from 'node:test'
import { raceAmongClones, raceAsOneActor, raceForIssue, raceForNext, raceForOverlap } from '../tracker/claims/races.ts'

const rounds = Number(process.env.SOAK_ROUNDS ?? 100)
const timeout = 60 * 60_000

test(`${rounds} races for one issue in one clone have one winner each`, { timeout }, (t) => raceForIssue(t, rounds))
test(`${rounds} races for one issue as one actor have one winner each`, { timeout }, (t) => raceAsOneActor(t, rounds))
test(`${rounds} races for one issue in eight clones have one winner each`, { timeout }, (t) =>
  raceAmongClones(t, rounds),
)
test(`${rounds} races for the next issue give each issue one claimant`, { timeout }, (t) => raceForNext(t, rounds))
test(`${rounds} races for overlapping locks have one winner each`, { timeout }, (t) => raceForOverlap(t, rounds))
