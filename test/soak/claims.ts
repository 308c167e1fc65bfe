/** A hundred rounds of every race for claims and locks. SOAK_ROUNDS changes their number. */
import { test } from 'node:test'
import { raceAmongClones, raceAsOneActor, raceForIssue, raceForNext, raceForOverlap } from '../tracker/claims/races.ts'

const rounds = Number(process.env.SOAK_ROUNDS ?? 100)
const timeout = 60 * 60_000

test(`${rounds} rounds for one issue in one clone`, { timeout }, (t) => raceForIssue(t, rounds))
test(`${rounds} rounds for one issue as one actor`, { timeout }, (t) => raceAsOneActor(t, rounds))
test(`${rounds} rounds for one issue in eight clones`, { timeout }, (t) => raceAmongClones(t, rounds))
test(`${rounds} rounds for the next issue`, { timeout }, (t) => raceForNext(t, rounds))
test(`${rounds} rounds for locks that overlap`, { timeout }, (t) => raceForOverlap(t, rounds))
