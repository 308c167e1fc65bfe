/** Rounds in which many real processes race for one resource. The suite runs a few of each, the soak script many. */
import assert from 'node:assert/strict'
import type { CleanUp } from '../../git/temp-repository.ts'
import { startGrite } from '../../support/start-command-child.ts'
import { createActorClones, createActors, type Data, type TestActor } from '../locks/lock-clones.ts'

const racersMax = 8

interface Finish {
  readonly actor: TestActor
  readonly status: number | null
  /** Of a winner. */
  readonly data: Data
  /** Of a loser. */
  readonly error: Data
}

interface Racer {
  readonly actor: TestActor
  readonly cwd: string
}

async function race(
  racers: readonly Racer[],
  environment: Readonly<Record<string, string>>,
  wordsOf: (index: number) => readonly string[],
): Promise<Finish[]> {
  return Promise.all(
    racers.map(async ({ actor, cwd }, index) => {
      const place = { cwd, environment: { ...environment, GRITE_ACTOR: actor.id } }
      const end = await startGrite(place, ...wordsOf(index), '--json')
      const [data, error] = [end.stdout, end.stderr].map((text) => (text === '' ? undefined : JSON.parse(text)))
      return { actor, status: end.exitStatus, data: data?.data, error: error?.error }
    }),
  )
}

/** One process wins, and all others report its owner and expiry. */
function assertOneWinner(finishes: readonly Finish[], round: number): Finish {
  const winners = finishes.filter(({ status }) => status === 0)
  const told = finishes.map(({ status, error }) => [status, error?.message])
  assert.equal(winners.length, 1, `round ${round}: ${JSON.stringify(told)}`)
  const [winner] = winners as [Finish]
  for (const { actor, status, error } of finishes.filter((finish) => finish !== winner)) {
    assert.deepEqual(
      [status, error.code, error.details.reason],
      [4, 'conflict', error.details.owner === actor.id ? 'held-by-you' : 'held'],
      `round ${round}: ${error.message}`,
    )
    assert.deepEqual(
      [error.details.owner, error.details.expires_unix_ms],
      [winner.actor.id, winner.data.expires_unix_ms],
    )
  }
  return winner
}

async function actorsOf({
  actorIn,
  path,
}: {
  actorIn: (cwd: string, label: string) => Promise<TestActor>
  path: string
}) {
  const racers: Racer[] = []
  for (let index = 0; index < racersMax; index++)
    racers.push({ actor: await actorIn(path, `actor-${index}`), cwd: path })
  return racers
}

/** Actors of one clone claim one issue; the winner alone is its assignee. */
export async function raceForIssue(t: CleanUp, rounds: number): Promise<void> {
  const setup = await createActors(t)
  setup.clock.nowUnixMs = Date.now()
  const racers = await actorsOf(setup)
  for (let round = 1; round <= rounds; round++) {
    const id = await setup.create()
    const winner = assertOneWinner(await race(racers, setup.environment, () => ['issue', 'claim', id]), round)
    const { issue } = await setup.ann.run('issue show', { issue: id })
    assert.deepEqual(issue.assignees, [winner.data.assignee])
  }
}

/** Processes that all write as one actor claim one issue, in its clone or through the remote. */
export async function raceAsOneActor(t: CleanUp, rounds: number): Promise<void> {
  const setup = await createActorClones(t, 'ann')
  setup.clock.nowUnixMs = Date.now()
  const [ann] = setup.clones
  const racers = Array.from({ length: racersMax }, (): Racer => ({ actor: ann, cwd: ann.path }))
  for (let round = 1; round <= rounds; round++) {
    for (const where of ['--local', '--remote']) {
      const { issue_id: id } = await ann.run('issue create', { title: `round ${round}` })
      await ann.run('sync')
      assertOneWinner(await race(racers, setup.environment, () => ['issue', 'claim', id, where]), round)
      assert.equal((await ann.run('issue show', { issue: id })).issue.assignees.length, 1)
    }
  }
}

/** Clones claim one issue through their remote; the winner is the only assignee in every clone. */
export async function raceAmongClones(t: CleanUp, rounds: number): Promise<void> {
  const names = Array.from({ length: racersMax }, (_, index) => `clone-${index}`)
  const setup = await createActorClones(t, ...names)
  setup.clock.nowUnixMs = Date.now()
  const racers = setup.clones.map((clone): Racer => ({ actor: clone, cwd: clone.path }))
  const [first, second] = setup.clones
  for (let round = 1; round <= rounds; round++) {
    const { issue_id: id } = await first.run('issue create', { title: `round ${round}` })
    await first.run('sync')
    const winner = assertOneWinner(
      await race(racers, setup.environment, () => ['issue', 'claim', id, '--remote']),
      round,
    )
    await second.run('sync')
    assert.deepEqual((await second.run('issue show', { issue: id })).issue.assignees, [winner.data.assignee])
    assert.equal(setup.leaseFile(setup.leaseRefOf(id)).owner, winner.actor.id)
  }
}

/** All ask for the next issue: each issue gets one claimant, and the others are told that none is left. */
export async function raceForNext(t: CleanUp, rounds: number): Promise<void> {
  const setup = await createActors(t)
  setup.clock.nowUnixMs = Date.now()
  const racers = await actorsOf(setup)
  for (let round = 1; round <= rounds; round++) {
    const ids: string[] = []
    for (let index = 0; index < racersMax / 2; index++) ids.push(await setup.create())
    const finishes = await race(racers, setup.environment, () => ['issue', 'claim', '--next'])
    const claimed = finishes.filter(({ status }) => status === 0).map(({ data }) => data.issue_id)
    assert.deepEqual(claimed.sort(), ids.sort(), `round ${round}`)
    assert.equal(finishes.filter(({ status }) => status === 3).length, racersMax - ids.length)
  }
}

/** Overlapping locks have separate refs; still only one is granted. */
export async function raceForOverlap(t: CleanUp, rounds: number): Promise<void> {
  const setup = await createActors(t)
  setup.clock.nowUnixMs = Date.now()
  const racers = await actorsOf(setup)
  const resources = ['path:a', 'path:a/b', 'path:a/b/c', 'path:a/b/c/d', 'repo:x', 'repo:y', 'path:a/', 'repo']
  for (let round = 1; round <= rounds; round++) {
    const wordsOf = (index: number) => ['lock', 'acquire', resources[index] as string]
    const finishes = await race(racers, setup.environment, wordsOf)
    const winners = finishes.filter(({ status }) => status === 0)
    assert.equal(
      winners.length,
      1,
      `round ${round}: ${JSON.stringify(finishes.map(({ status, error }) => [status, error?.message]))}`,
    )
    const live = (await setup.ann.run('lock status')).locks.filter(({ state }: Data) => state === 'live')
    assert.deepEqual(
      live.map(({ owner }: Data) => owner),
      [winners[0]?.actor.id],
    )
    await winners[0]?.actor.run('lock release', { resource: winners[0].data.resource })
  }
}
