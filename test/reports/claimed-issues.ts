/** Hundreds of issues claimed on a remote and closed. Claims by command would take a second each. */
import { findRepository, openRepository, type RefName } from '../../src/git/index.ts'
import { type ActorId, type Claim, issueResource, type Lock } from '../../src/model/index.ts'
import { encodeLockCommit, leaseRefOf } from '../../src/wal/index.ts'
import { commandRunner } from '../support/command-runner.ts'
import type { ActorClones, Clone } from '../tracker/locks/lock-clones.ts'

const issuesInBatch = 1000

interface Made {
  readonly issue_id: string
  readonly op: string
}

/** Creates issues claimed and closed by a clone, with their released leases on the remote. Returns their ids. */
export async function makeClosedClaims(setup: ActorClones, clone: Clone, count: number): Promise<string[]> {
  const { environment: env, clock } = setup
  const ids: string[] = []
  for (let start = 0; start < count; start += issuesInBatch) {
    const names = Array.from({ length: Math.min(issuesInBatch, count - start) }, (_, index) => `n${index}`)
    const lines = names.flatMap((name) => [
      { op: 'create', title: name, as: name, assignees: ['ann'] },
      { op: 'close', issue: `@${name}` },
    ])
    const stdin = lines.map((line) => JSON.stringify(line)).join('\n')
    const runner = commandRunner({ cwd: clone.path, env, actor: clone.id, stdin, nowUnixMs: () => clock.nowUnixMs })
    const { results } = (await runner.run('batch')) as { results: Made[] }
    ids.push(...results.filter(({ op }) => op === 'create').map(({ issue_id }) => issue_id))
  }
  await clone.run('sync')
  const claim: Claim = { assignee: 'ann', sinceUnixMs: clock.nowUnixMs, beside: [], stale: [] }
  await putLeases(
    setup,
    ids.map((id) => releasedLease(issueResource(id as never), { owner: clone.id as ActorId, claim, setup })),
  )
  return ids
}

function releasedLease(
  resource: string,
  { owner, claim, setup }: { readonly owner: ActorId; readonly claim: Claim; readonly setup: ActorClones },
): Lock {
  const fence = setup.clock.nowUnixMs
  return { owner, nonce: 'nonce', expiresUnixMs: 0, resource, ttlMs: 3_600_000, fence, claim }
}

/** Writes leases to the remote, each as the first commit of its chain. */
export async function putLeases({ origin, environment, gitWith, clock }: ActorClones, leases: readonly Lock[]) {
  const port = openRepository(await findRepository({ cwd: origin, env: environment }), { environment })
  try {
    const commits = leases.map((lock) => ({
      ref: leaseRefOf(lock.resource) as RefName,
      ...encodeLockCommit('sha1', { lock, parents: [], nowUnixMs: clock.nowUnixMs }),
    }))
    await port.publish({ objects: commits.flatMap(({ objects }) => objects), updates: [] })
    const lines = commits.map(({ ref, oid }) => `create ${ref} ${oid}\n`).join('')
    gitWith(lines, origin, 'update-ref', '--stdin')
  } finally {
    await port.close()
  }
}
