/** A pushed snapshot with arbitrary files: each sync continues and refuses it in a short message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import { snapshotRef, walRef } from '../../src/wal/index.ts'
import { writeCommit } from '../support/log.ts'
import { createClones } from '../sync/clones.ts'

const brackets = (count: number) => '['.repeat(count) + ']'.repeat(count)
const odd = '{"toString":1,"valueOf":1,"toJSON":1}'

test('any invalid snapshot.json is refused in a short message', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  const head = ann.head()
  const facts = (more: string) =>
    `{"schema_version":1,"created_ts":1,"wal_head":"${head}","event_count":0,"chunks":[],${more}}`
  const texts = [
    `{"schema_version":${brackets(1_000_000)}}`,
    `{"schema_version":${odd}}`,
    brackets(1_000_000),
    facts(`"created_ts":${odd}`),
    facts(`"chunks":[${odd}]`),
    facts(`"chunks":[{"path":"events/${'x'.repeat(100_000)}","chunk_hash":"${'0'.repeat(64)}","event_count":0}]`),
    facts('"event_count":9007199254740993'),
    `[${'{},'.repeat(1_500_000)}0]`,
  ]
  await ann.withRepository(async ({ git }) => {
    for (const [index, text] of texts.entries()) {
      const files = new Map<string, Uint8Array | Oid>([['snapshot.json', Buffer.from(text)]])
      if (index === 0) files.set('ext/report.json', Buffer.from(text))
      const commit = await writeCommit(git, files, [])
      ann.git('push', '-q', 'origin', `${commit}:${snapshotRef(1_900_000_000_000 + index)}`)
    }
  })
  for (let turn = 0; turn < 2; turn++) {
    await bo.create(`mine ${turn}`)
    assert.equal((await bo.sync()).push_changed, true)
  }
  const refused = bo.warnings.filter(({ code }) => code === 'snapshot-refused')
  assert.equal(refused.length, 1, 'told once, as one')
  assert.ok((refused[0]?.message.length ?? 0) < 500, refused[0]?.message)
  const reasons = (refused[0]?.details?.refs ?? []) as { fault: string }[]
  assert.ok(reasons.every(({ fault }) => fault.length < 400))
  assert.equal(reasons.length, texts.length)
  assert.deepEqual(bo.git('for-each-ref', `${walRef.replace(/wal$/, 'snapshots')}`), '')
  await bo.run('rebuild', { fromSnapshot: true })
  assert.deepEqual(await bo.titles(), ['mine 0', 'mine 1', 'one'])
})
