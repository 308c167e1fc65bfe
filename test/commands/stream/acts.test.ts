/** Acts on whole streams, in this process. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StreamCheckpointVerifyData } from '../../../src/commands/stream/checkpoint.ts'
import type { StreamPurgeData, StreamRetainData } from '../../../src/commands/stream/ends.ts'
import type { StreamMergeData } from '../../../src/commands/stream/merge.ts'
import type { StreamProofData, StreamVerifyProofData } from '../../../src/commands/stream/proof.ts'
import type { StreamVerifyData } from '../../../src/commands/stream/verify.ts'
import { type ActorId, GriteError } from '../../../src/model/index.ts'
import { parseStreamId } from '../../../src/model/streams/index.ts'
import { generateKeyPair, signerFromSeed } from '../../../src/wal/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'

const failsWith = (code: string) => (error: unknown) => error instanceof GriteError && error.code === code

test('a stream is merged, proven, checked, retained, deleted and purged', async (t) => {
  const { run, path } = createCommandSandbox(t)
  const append = (stream: string, payload: string) => run('stream append', { stream, payload })
  await run('stream create', { stream: 'main' })
  await append('main', 'a')
  await run('stream branch', { stream: 'retry', parent: 'main' })
  await append('retry', 'x')
  await append('retry', 'y')

  const policy = 'fast-forward'
  const merge = (more: object) => run('stream merge', { stream: 'main', source: ['retry'], policy, ...more })
  const preview = (await merge({ preview: true })) as StreamMergeData
  assert.deepEqual([preview.action, preview.commit, preview.records], ['previewed', null, 2])
  const merged = (await merge({ source: ['retry@1'], note: ['half'], evidence: ['score=0.9'] })) as StreamMergeData
  assert.deepEqual(merged.rows, [{ kind: 'range', records: 1, ranges: [{ stream: 'retry', from: 1, to: 1 }] }])
  assert.deepEqual([merged.sources[0]?.offset, merged.bases[0]?.offset], [1, 0])
  await assert.rejects(merge({ policy: 'best' }), failsWith('invalid_args'))
  await assert.rejects(merge({ source: ['nobody'] }), failsWith('not_found'))
  const file = join(path, 'rows.json')
  writeFileSync(file, JSON.stringify([{ stream: 'retry', from: 2, to: 2 }]))
  assert.equal(((await merge({ policy: 'custom:judge', rows: file })) as StreamMergeData).next_offset, 3)
  writeFileSync(file, '[{"stream":"retry"}]')
  await assert.rejects(merge({ policy: 'custom:judge', rows: file }), failsWith('invalid_args'))

  await run('stream checkpoint create', { stream: 'main', kind: 'handoff' })
  const proof = join(path, 'proof.json')
  const made = (await run('stream proof', { stream: 'main', offset: '2' })) as StreamProofData
  writeFileSync(proof, JSON.stringify(made))
  const checked = (await run('stream verify-proof', { file: proof })) as StreamVerifyProofData
  assert.deepEqual([checked.valid, checked.stream, checked.offset], [true, 'main', 2])
  assert.equal(Buffer.from(checked.record?.payload_base64 ?? '', 'base64').toString(), 'y')
  const other = (await run('stream verify-proof', { file: proof, root: '00' })) as StreamVerifyProofData
  assert.equal(other.valid, false)

  const retained = (await run('stream retain', { stream: 'main', maxCount: 1 })) as StreamRetainData
  assert.deepEqual([retained.dropped, retained.oldest_offset, retained.generation], [2, 2, 1])
  const marks = (await run('stream checkpoint verify', { stream: 'main' })) as StreamCheckpointVerifyData
  assert.deepEqual([marks.wrong_count, marks.checkpoints.length], [0, 1])
  const verify = async () => ((await run('stream verify', { all: true })) as StreamVerifyData).problems
  assert.deepEqual(await verify(), [])
  await assert.rejects(run('stream verify', {}), failsWith('invalid_args'))

  await run('stream delete', { stream: 'main' })
  await assert.rejects(append('main', 'no'), failsWith('not_found'))
  await assert.rejects(run('stream purge', { stream: 'main' }), failsWith('conflict'))
  const purged = (await run('stream purge', { stream: 'main', despiteDependants: true })) as StreamPurgeData
  assert.deepEqual([purged.removed.length, purged.dependants[0]?.name], [2, 'retry'])
  assert.deepEqual(await verify(), [])
})

test('a checkpoint counts only with a key of its actor', async (t) => {
  const { run, withRepository } = createCommandSandbox(t)
  const { actor_id } = (await run('actor init', { generateKey: true })) as { actor_id: ActorId }
  await run('actor use', { actor: actor_id })
  await run('stream create', { stream: 'main' })
  await run('stream append', { stream: 'main', payload: 'a' })
  await run('stream checkpoint create', { stream: 'main' })
  const verify = async () => {
    const { wrong_count, checkpoints } = (await run('stream checkpoint verify', {
      stream: 'main',
    })) as StreamCheckpointVerifyData
    return [wrong_count, checkpoints.map(({ signature, key_owner }) => `${signature} ${key_owner}`)]
  }
  assert.deepEqual(await verify(), [0, ['valid actor']])
  const signAs = (actor: ActorId | null) =>
    withRepository(async (repository) => {
      const streams = await repository.streams()
      const signer = signerFromSeed(generateKeyPair().seedHex) ?? null
      await streams.acts.createCheckpoint(parseStreamId('main'), { kind: 'forged', actor, reason: null, signer })
    })
  await signAs('ab'.repeat(16) as ActorId)
  await signAs(null)
  assert.deepEqual(await verify(), [0, ['valid unknown', 'valid unknown', 'valid actor']])
  await signAs(actor_id)
  assert.deepEqual(await verify(), [1, ['valid other', 'valid unknown', 'valid unknown', 'valid actor']])
})
