/** A pushed commit with an arbitrary meta.json: every command in every clone works and reports it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { batchOf, comment, creation, filesOf, issueId, writeCommit } from '../support/log.ts'
import { createClones } from '../sync/clones.ts'

const odd = '{"toString":1,"valueOf":1}'
const deep = '['.repeat(400_000) + ']'.repeat(400_000)
const row = (prevWal: string, chunkHash = '"x"') =>
  `{"schema_version":1,"actor_id":"00000000000000000000000000000000","chunk_hash":${chunkHash},"prev_wal":${prevWal}}`

const metas = [
  row(odd),
  row('null', odd),
  row(deep),
  row('null', deep),
  row('"x"').replace('}', `,"requests":${odd},"carried":[${odd}]}`),
  row('1e999', '-0'),
  deep,
  '{"a":'.repeat(150_000),
  odd,
  'null',
  '"',
  '',
  `"${'\\u0000'.repeat(100_000)}"`,
  row(`"${'\\u001b[2J'.repeat(50_000)}"`),
]

test('a meta.json of any content hides nothing and fails no command', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('good one')
  await ann.sync()
  const a = issueId('a0')
  await ann.withRepository(async ({ git }) => {
    let head = (await git.readRef(walRef)) as Oid
    for (const [index, meta] of metas.entries()) {
      const files = filesOf(batchOf([index === 0 ? creation(a, 'also good') : comment(a, `${index}`)]), head)
      files.set('meta.json', Buffer.from(meta))
      head = await writeCommit(git, files, [head])
    }
    ann.git('push', '-q', 'origin', `${head}:${walRef}`)
  })

  assert.equal((await bo.sync()).pull_events, metas.length + 1)
  await bo.create('mine')
  for (const name of ['issue list', 'rebuild', 'doctor', 'db check', 'export', 'sync']) {
    const answer = await bo.outcome(name, name === 'export' ? { format: 'json', output: '-' } : {})
    assert.ok(answer.data, name)
  }
  assert.deepEqual(await bo.titles(), ['also good', 'good one', 'mine'])
  const fresh = setup.clone('fresh')
  await fresh.sync()
  assert.deepEqual(await fresh.titles(), await bo.titles())
  const warnings = bo.warnings.map(({ message, details }) => `${message} ${JSON.stringify(details ?? {})}`)
  assert.ok(warnings.length > 0)
  for (const warning of warnings) assert.ok(warning.length < 2000, warning)
  await ann.sync()
  assert.deepEqual(await ann.ids(), await bo.ids())
})
