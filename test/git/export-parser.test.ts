/** The parser of git's export: pairs of files against the parser of single lines, at every division of the stream. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { createExportParser } from '../../src/git/native/export-parser.ts'
import { pairBytesMax } from '../../src/git/native/pair-scanner.ts'
import { openNative } from '../../src/git/open-repository.ts'
import { PairEntry } from '../../src/git/pair-entry.ts'
import type { CommitEntry, GitPort, Oid, PendingObject } from '../../src/git/port.ts'
import { plainEntry, planOf, type SampleCommit, sampleCommit } from './sample-commits.ts'
import { createTempRepository } from './temp-repository.ts'

const pair = (name: string) => ({ 'events/a.bin': `chunk ${name}`, 'meta.json': `meta ${name}` })

/** Publishes commits that differ in one respect, and returns git's export of them. */
async function exportOf(port: GitPort, run: (...args: readonly string[]) => Buffer) {
  const { objectFormat: format } = port.layout
  const objects: PendingObject[] = []
  let head: SampleCommit | undefined
  const add = (files: Record<string, string>, parents?: readonly Oid[], message = 'WAL') => {
    head = sampleCommit(format, parents ?? (head === undefined ? [] : [head.oid]), message, files)
    objects.push(...head.objects)
    return head.oid
  }
  add(pair('first'))
  const fork = add(pair('plain'))
  add({ ...pair('three'), 'README.md': 'three files' })
  add({ 'meta.json': 'meta alone' })
  add({ 'events/a.bin': 'chunk plain', 'meta.json': 'a file that an earlier pair has' })
  add({ 'events/b.bin': 'same bytes', 'meta.json': 'same bytes' })
  add(pair('a long message'), undefined, `blob\nmark :1\n${'x'.repeat(3000)}`)
  add({ 'events/"ü".bin': 'quoted', 'meta.json': 'quoted' })
  add({ [`${'d/'.repeat(20)}x.bin`]: 'deep', 'meta.json': 'deep' })
  add({ 'events/a.bin': 'x'.repeat(pairBytesMax + 1), 'meta.json': 'large' })
  add({ 'events/a.bin': '', 'meta.json': 'empty' })
  add({ 'events/a.bin': 'data 5\nblob\nmark :3\n', 'meta.json': '\n\n' })
  const ours = add(pair('ours'))
  const theirs = add(pair('theirs'), [fork])
  add(pair('merge'), [ours, theirs])
  add(pair('last'))
  await port.publish({ ...planOf(head as SampleCommit, null), objects })
  return run('fast-export', '--full-tree', '--show-original-ids', '--reencode=no', (head as SampleCommit).oid)
}

function parse(format: 'sha1' | 'sha256', pieces: Iterable<Buffer>, blobBytesMax: number): readonly CommitEntry[] {
  const parser = createExportParser(format, blobBytesMax)
  const entries: CommitEntry[] = []
  for (const piece of pieces) {
    parser.push(Buffer.from(piece))
    entries.push(...parser.take().map(({ entry }) => entry))
  }
  parser.end()
  entries.push(...parser.take().map(({ entry }) => entry))
  return entries
}

function* piecesOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

for (const kind of ['plain', 'sha256'] as const) {
  test(`pairs are parsed like single lines, ${kind} repository`, async (t) => {
    const { layout, environment, path } = await createTempRepository(t, kind)
    const port = openNative(layout, { environment })
    t.after(() => port.close())
    const bytes = await exportOf(port, (...args) => execFileSync('git', args, { cwd: path, env: environment }))
    const { objectFormat: format } = layout
    const blobBytesMax = 2 * pairBytesMax
    const comparable = (entries: readonly CommitEntry[]) =>
      entries.map(plainEntry).map((entry) => ({
        ...entry,
        // A pair's contents are not kept for a later commit, which is then read separately.
        files: entry.files.map((file) => ({ ...file, content: file.content && String(file.content), problem: null })),
      }))
    const whole = comparable(parse(format, [bytes], blobBytesMax))
    const lines = comparable(parse(format, [bytes], pairBytesMax - 1))
    // Without pairs, the large chunk is above the limit, and ends the parsing.
    assert.equal(lines.length, 9)
    const shared = whole.findIndex(({ files }) => files.some(({ content }) => content === null))
    assert.deepEqual(
      whole.slice(0, lines.length).filter((_, index) => index !== shared),
      lines.filter((_, index) => index !== shared),
    )
    assert.equal(whole.length, 16)
    assert.ok(parse(format, [bytes], blobBytesMax).filter((entry) => entry instanceof PairEntry).length >= 6)
    for (const size of [1, 7, 64, 1000, 4096, 65_536]) {
      assert.deepEqual(comparable(parse(format, piecesOf(bytes, size), blobBytesMax)), whole, `pieces of ${size}`)
    }
  })
}

test('a content that commit after commit shares stays known', () => {
  const oidOf = (mark: number) => `${mark}`.padStart(40, '0')
  const blob = (mark: number, text: string) =>
    `blob\nmark :${mark}\noriginal-oid ${oidOf(mark)}\ndata ${text.length}\n${text}\n`
  const shared = blob(1, 'shared')
  const commits = Array.from({ length: 60 }, (_, index) => {
    const [own, mark] = [2 * index + 2, 2 * index + 3]
    const from = index === 0 ? '' : `from :${mark - 2}\n`
    return (
      `${blob(own, `${index}`.padEnd(100_000, 'x'))}commit main\nmark :${mark}\noriginal-oid ${oidOf(mark)}\n` +
      `committer grite <grit@local> 1700000000 +0000\ndata 1\n.${from}deleteall\n` +
      `M 100644 :1 a\nM 100644 :${own} b\nM 100644 :${own} c\n\n`
    )
  })
  const parser = createExportParser('sha1', 1 << 20)
  parser.push(Buffer.from(shared + commits.join('')))
  parser.end()
  const taken = parser.take()
  assert.equal(taken.length, 60)
  assert.deepEqual(
    taken.filter(({ isUnread }) => isUnread),
    [],
  )
  assert.deepEqual(new Set(taken.map(({ entry }) => `${entry.files[0]?.content}`)), new Set(['shared']))
})
