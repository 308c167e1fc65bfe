/** Remotes whose commits, locks, leases and snapshots are damaged, and whose refs have hostile names. */
import assert from 'node:assert/strict'
import type { Oid, TreeFiles } from '../../src/git/index.ts'
import { formatLock, GriteError, type Lock } from '../../src/model/index.ts'
import { leaseRefOf, lockRefOf, snapshotRef, walRef } from '../../src/wal/index.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { foreignFiles } from '../support/foreign-files.ts'
import { batchOf, comment, creation, filesOf, issueId, writeCommit } from '../support/log.ts'
import { mutate, pick, type Random, randomOf } from '../support/mutate.ts'
import { createClones } from './clones.ts'

const commits = 150
const nowUnixMs = 1_900_000_000_000

/** Odd names that git allows. */
const oddNames = [
  '\u202e\u2066x',
  '\u2028',
  '\u009b31m',
  'ä'.repeat(60),
  "';touch x;'",
  '$(id)',
  '-f',
  '0',
  '9'.repeat(40),
  '__proto__',
]

function damaged(random: Random, sort: string): Buffer {
  const { valid, isText } = foreignFiles[sort] as (typeof foreignFiles)[string]
  return mutate(random, valid, isText)
}

/** Files of a log commit with up to two damaged or misplaced. */
function damagedFiles(random: Random, index: number, head: Oid): TreeFiles {
  const issue = issueId(`a${index % 5}`)
  const files = filesOf(batchOf([index < 5 ? creation(issue, `${index}`) : comment(issue, `${index}`)]), head)
  for (let count = random(3); count > 0; count--) {
    const path = pick(random, [...files.keys()])
    const content = files.get(path)
    if (typeof content === 'string' || content === undefined) continue
    if (random(4) === 0) files.delete(path)
    const named =
      random(4) === 0 ? `${pick(random, ['', 'events/', 'attachments/'])}${pick(random, oddNames)}.bin` : path
    files.set(named, mutate(random, [Buffer.from(content)], path.endsWith('.json')))
  }
  return files
}

/** Runs every command that reads a remote on such a remote. None may end in an internal error, and both clones converge. */
export async function playDamagedRemote(t: CleanUp, seed: number): Promise<void> {
  const random = randomOf(seed)
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo', { nowUnixMs: () => nowUnixMs })]
  await ann.create('good one')
  await ann.sync()
  await setup.onOrigin(async (git) => {
    const refs: string[] = []
    let head = (await git.readRef(walRef)) as Oid
    for (let index = 0; index < commits; index++) {
      const message = pick(random, ['WAL: 1 events from x', '', `\u202e${'x'.repeat(5000)}`, '\u0000\u009b'])
      head = await writeCommit(
        git,
        damagedFiles(random, index, head),
        random(20) === 0 ? [head, head] : [head],
        message,
      )
    }
    refs.push(`update ${walRef} ${head}`)
    for (let index = 0; index < 60; index++) {
      const lock: Lock = {
        ...{ owner: 'f'.repeat(32), nonce: 'n', expiresUnixMs: nowUnixMs + 1000, resource: `path:${index}` },
        ...{ ttlMs: 1000, fence: index, claim: null },
      }
      const files = new Map([['lock.json', mutate(random, [Buffer.from(formatLock(lock))], true)]])
      const commit = await writeCommit(git, files, [])
      refs.push(`create ${pick(random, [lockRefOf, leaseRefOf])(lock.resource)} ${commit}`)
      const snapshot = new Map([
        [pick(random, ['snapshot.json', 'ext/report.json']), damaged(random, 'snapshot')],
        ['snapshot.json', damaged(random, 'snapshot')],
        ['events/000000.bin', damaged(random, 'chunk')],
      ])
      refs.push(`create ${snapshotRef(nowUnixMs + index)} ${await writeCommit(git, snapshot, [])}`)
    }
    for (const name of oddNames) {
      for (const folder of ['grite/locks', 'grite-leases', 'grite/snapshots']) {
        const isAllowed = !/[\u0000-\u0020~^:?*[\\]/.test(name) && name !== '-f'
        if (isAllowed) refs.push(`create refs/${folder}/${name} ${head}`)
      }
    }
    setup.feedOrigin(`${refs.join('\n')}\n`, 'update-ref', '--stdin')
  })

  const names: readonly [string, object?][] = [
    ...(['sync', 'issue list', 'lock status'] as const).map((name): [string] => [name]),
    ['lock status', { remote: 'origin' }],
    ['lock acquire', { resource: 'path:1', remote: 'origin' }],
    ['lock acquire', { resource: 'path:2' }],
    ['lock gc', { remote: 'origin' }],
    ['issue create', { title: 'mine' }],
    ['rebuild'],
    ['rebuild', { fromSnapshot: true }],
    ['doctor'],
    ['db check'],
    ['snapshot create'],
    ['snapshot gc'],
    ['export', { format: 'json', output: '-' }],
    ['actor list'],
    ['prime'],
    ['sync'],
  ]
  for (const [name, input = {}] of names) {
    await bo.outcome(name, input as Readonly<Record<string, unknown>>).catch((error: unknown) => {
      const isRefused = error instanceof GriteError && error.code !== 'internal_error'
      assert.ok(isRefused, new Error(`${name} ${JSON.stringify(input)}`, { cause: error }))
    })
  }
  assert.ok((await bo.titles()).includes('mine'))
  assert.ok((await bo.titles()).includes('good one'))
  for (const { message } of bo.warnings) assert.ok(message.length < 4096, message)
  await ann.sync()
  assert.deepEqual(await ann.ids(), await bo.ids())
  assert.deepEqual(await ann.titles(), await bo.titles())
}
