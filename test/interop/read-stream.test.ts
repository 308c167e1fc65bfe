/** A reader written from docs/format.md alone reads streams of the engine: with git, zstd and the standard library. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeCbor } from '../../src/model/cbor.ts'
import { parseStreamId, type StreamId } from '../../src/model/streams/index.ts'
import type { StreamStore } from '../../src/wal/streams/index.ts'
import { loadSegmentTools } from '../../src/wal/streams/open-segment.ts'
import { sealRecords } from '../../src/wal/streams/seal-records.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { projectDir } from '../tidy/source-files.ts'

const reader = join(projectDir, 'test/interop/read_stream.py')
const lacking = ['python3', 'zstd'].filter((program) => spawnSync(program, ['--version']).status !== 0)
const skip = lacking.length > 0 && `needs ${lacking.join(' and ')}`

interface Line {
  readonly offset: number
  readonly ts: number
  readonly payload: string
}

const creation = { actor: null, reason: null, labels: [], retention: null }

function readByPython({ path, environment }: ReturnType<typeof createCommandSandbox>, ref: string) {
  const { status, stdout, stderr } = spawnSync('python3', [reader, path, ref], { env: environment, encoding: 'utf8' })
  const lines = stdout
    .trim()
    .split('\n')
    .map((line): Line => JSON.parse(line))
  return { status, lines, stderr }
}

test('a reader in Python gives the records of the engine', { skip }, async (t) => {
  const sandbox = createCommandSandbox(t)
  const { withRepository } = sandbox

  await withRepository(async (repository) => {
    const streams = (await repository.streams()) as StreamStore
    const append = (id: StreamId, texts: readonly string[]) =>
      streams.append(
        id,
        texts.map((text) => ({ payload: Buffer.from(text), key: Buffer.from('k'), headers: [['h', text]] as const })),
        { durability: 'local' },
      )
    const [root, branch, merged] = ['root/ü', 'branch', 'merged'].map(parseStreamId) as [StreamId, StreamId, StreamId]
    await streams.create(root, creation)
    // Long and repetitive, so that it is sealed with zstd; then a short one, which is not.
    await append(
      root,
      Array.from({ length: 500 }, (_, number) => `record ${number} of a long segment`),
    )
    await streams.seal(root)
    await append(root, ['one', 'two'])
    await streams.seal(root)
    // Inside the first segment.
    await streams.branch(branch, root, { ...creation, at: 300 })
    await append(branch, ['of the branch'])
    await append(root, ['three'])
    for (const id of [root, branch]) await streams.seal(id)
    for (const policy of ['recursive', 'interleave'] as const) {
      await streams.acts.merge(policy === 'recursive' ? merged : parseStreamId('interleaved'), {
        ...{ sources: [{ streamId: root }, { streamId: branch }], policy, into: 'new', preview: false },
        ...{ actor: null, reason: null, labels: [], evidence: [], notes: [], rows: [] },
      })
    }

    for (const { streamId, ref, nextOffset } of await streams.list()) {
      const expected: Line[] = []
      for await (const records of streams.read(streamId, { from: 0, includeTail: true })) {
        for (const read of records) {
          const { tsUnixMs, payload } = read.record()
          expected.push({ offset: read.offset, ts: tsUnixMs, payload: Buffer.from(payload).toString('hex') })
        }
      }
      assert.equal(expected.length, nextOffset, streamId)
      assert.deepEqual(readByPython(sandbox, ref), { status: 0, lines: expected, stderr: '' }, streamId)
    }
  })
})

test('a reader in Python leaves out and reports the records of an act that it does not know', { skip }, async (t) => {
  const sandbox = createCommandSandbox(t)
  await sandbox.withRepository(async (repository) => {
    const streams = (await repository.streams()) as StreamStore
    const streamId = parseStreamId('later')
    await streams.create(streamId, creation)
    await streams.append(streamId, [{ payload: Buffer.from('known') }], { durability: 'local' })
    const { commit, ref } = await streams.act(streamId, async ({ manifest }) => {
      const records = [(await streams.readAt(streamId, 0)).bytes]
      const sealed = await sealRecords(await loadSegmentTools(), manifest, records)
      const act = { name: 'unknown', text: 'split', bytes: encodeCbor(['split', 1]) } as const
      return { commit: { ...sealed, manifest: { ...sealed.manifest, act } } }
    })
    const { status, lines, stderr } = readByPython(sandbox, ref)
    assert.equal(stderr, `offsets 1 to 1: the act of ${commit} is of a later version: split\n`)
    assert.deepEqual([status, lines.map(({ offset }) => offset)], [1, [0]])
  })
})
