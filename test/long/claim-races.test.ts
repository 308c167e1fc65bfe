import { describe, it } from 'node:test'
import { raceAmongClones, raceAsOneActor, raceForIssue, raceForNext, raceForOverlap } from '../tracker/claims/races.ts'

describe('repeated claim races of eight processes', () => {
  it('one of eight processes wins a claim in one clone', (t) => raceForIssue(t, 3))
  it('one of eight processes of one actor wins a claim', (t) => raceAsOneActor(t, 2))
  it('one of eight clones wins a claim on the remote', (t) => raceAmongClones(t, 10))
  it('processes claiming the next of four issues get different ones', (t) => raceForNext(t, 2))
  it('processes acquiring overlapping locks get one of them', (t) => raceForOverlap(t, 3))
})
