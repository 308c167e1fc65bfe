import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type GitPort, type Oid, openRepository } from '../../../../src/git/index.ts'
import { type ActorId, formatHex, parseHex, snapshotDigest } from '../../../../src/model/index.ts'
import { isSignatureValid, openSnapshot, signerFromSeed, writeSnapshot } from '../../../../src/wal/index.ts'
import {
  formatSnapshotSignature,
  parseSnapshotSignature,
} from '../../../../src/wal/issue-log/snapshot/snapshot-codec.ts'
import { createTempRepository } from '../../../git/temp-repository.ts'
import { strangeLog, writeLog, writeSnapshotFiles } from '../../../support/snapshots.ts'

interface Case {
  readonly title: string
  readonly facts: string
  readonly report: string | null
  readonly orphans: string | null
  readonly attachments: readonly string[]
  readonly digest: string
  readonly file: string
}

const vectors = JSON.parse(readFileSync(new URL('../../../vectors/snapshot-signatures.json', import.meta.url), 'utf8'))
const signer = signerFromSeed(vectors.seed) ?? assert.fail()
const actor = vectors.actor as ActorId
const bytesOf = (hex: string | null) => (hex === null ? null : (parseHex(hex) as Uint8Array))

test('snapshot signatures match the vectors', () => {
  assert.equal(signer.publicKey, vectors.public_key)
  for (const { title, facts, report, orphans, attachments, digest, file } of vectors.cases as Case[]) {
    const files = {
      facts: bytesOf(facts) as Uint8Array,
      report: bytesOf(report),
      orphans: bytesOf(orphans),
      attachments,
    }
    assert.equal(formatHex(snapshotDigest(actor, files)), digest, title)
    const signature = { actor, publicKey: signer.publicKey, sig: signer.sign(digest) }
    assert.equal(formatSnapshotSignature(signature), file, title)
    assert.deepEqual(parseSnapshotSignature(file), signature, title)
  }
})

test('a malformed signature file is ignored', () => {
  const good = JSON.parse(vectors.cases[0].file)
  for (const wrong of [
    '{',
    '[]',
    JSON.stringify({ ...good, schema_version: 2 }),
    JSON.stringify({ ...good, actor: 'AB'.repeat(16) }),
    JSON.stringify({ ...good, public_key: 7 }),
    JSON.stringify({ ...good, signature: good.signature.slice(2) }),
    JSON.stringify({ ...good, padding: 'x'.repeat(5000) }),
  ]) {
    assert.equal(parseSnapshotSignature(wrong), null, wrong.slice(0, 80))
  }
})

test('a signature covers every part of a snapshot', async (t) => {
  const { layout, environment, run } = await createTempRepository(t)
  const git = openRepository(layout, { environment })
  t.after(() => git.close())
  const head = await writeLog(git, strangeLog().batches)
  const { oid } = await writeSnapshot({ git, head, nowUnixMs: 1000, maker: { actor, signer } })
  const paths = run('ls-tree', '-r', '--name-only', oid).split('\n')
  assert.ok(paths.includes('ext/signature.json') && paths.includes('ext/orphans.cbor'))
  const files = new Map(paths.map((path) => [path, run('rev-parse', `${oid}:${path}`) as Oid | Uint8Array]))
  const text = (path: string) => run('cat-file', 'blob', `${oid}:${path}`)

  let createdTs = 2000
  const isValid = async (changes: readonly (readonly [string, string | null])[]) => {
    const changed = new Map(files)
    for (const [path, content] of changes) {
      if (content === null) changed.delete(path)
      else changed.set(path, Buffer.from(content))
    }
    return isValidAt(git, await writeSnapshotFiles(git, createdTs++, changed))
  }
  assert.equal(await isValid([]), true)
  const attachment = paths.find((path) => path.startsWith('attachments/')) as string
  for (const changes of [
    [['snapshot.json', text('snapshot.json').replace('"event_count": 8', '"event_count":  8')]],
    [['ext/report.json', `${text('ext/report.json')} `]],
    [['ext/orphans.cbor', '\x80']],
    [['ext/orphans.cbor', null]],
    [[attachment, null]],
    [[`attachments/${'0'.repeat(64)}`, 'x']],
    [['attachments/x', 'x']],
    [['ext/signature.json', null]],
    [['ext/signature.json', text('ext/signature.json').replace(actor, 'ab'.repeat(16))]],
  ] as const) {
    assert.equal(await isValid(changes), false, JSON.stringify(changes))
  }
  // Other files of the Rust tool or later versions are ignored.
  assert.equal(await isValid([['ext/later.json', '{}']]), true)
})

async function isValidAt(git: GitPort, row: Awaited<ReturnType<typeof writeSnapshotFiles>>): Promise<boolean> {
  return isSignatureValid(git, await openSnapshot(git, row))
}
