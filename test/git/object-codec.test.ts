import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buildTree } from '../../src/git/build-tree.ts'
import { encodePack } from '../../src/git/native/pack-writer.ts'
import {
  encodeCommit,
  encodeObject,
  encodeTree,
  parseCommit,
  parseTree,
  type TreeEntry,
} from '../../src/git/object-codec.ts'
import { parseOid } from '../../src/git/oid.ts'
import type { Oid } from '../../src/git/port.ts'
import { parseRefName } from '../../src/git/ref-paths.ts'
import { CorruptObjectError, InvalidArgsError } from '../../src/model/errors/index.ts'
import { createSandbox } from './temp-repository.ts'

for (const format of ['sha1', 'sha256'] as const) {
  describe(`objects, ${format}`, () => {
    it(`encodes ${format} objects with the ids and bytes of git`, (t) => {
      const { git, gitWith, dir } = createSandbox(t)
      git(dir, 'init', '-q', `--object-format=${format}`, 'r')
      const path = join(dir, 'r')
      const blob = encodeObject(format, 'blob', Buffer.from('content\n'))
      assert.equal(blob.oid, gitWith('content\n', path, 'hash-object', '-w', '--stdin'))
      const names = ['a', 'a.b', 'a0', 'z', 'ä']
      const entries: TreeEntry[] = names.map((name) => ({ mode: '100644', name, oid: blob.oid }))
      const inner = encodeTree(format, entries)
      const listing = (rows: readonly TreeEntry[]) =>
        rows
          .map(
            ({ mode, name, oid }) => `${mode.padStart(6, '0')} ${mode === '40000' ? 'tree' : 'blob'} ${oid}\t${name}\n`,
          )
          .join('')
      assert.equal(inner.oid, gitWith(listing(entries), path, 'mktree'))
      // git sorts a directory `a` as `a/`: between `a.b` and `a0`.
      const mixed = [...entries.slice(1), { mode: '40000', name: 'a', oid: inner.oid }]
      const tree = encodeTree(format, mixed)
      assert.equal(tree.oid, gitWith(listing(mixed), path, 'mktree'))
      assert.deepEqual(
        parseTree(format, tree.content).map(({ name }) => name),
        ['a.b', 'a', 'a0', 'z', 'ä'],
      )

      const author = { name: ' A <b>\n', email: 'a@b', unixSeconds: 1_700_000_000, offsetMinutes: -330 }
      const commit = encodeCommit(format, { tree: tree.oid, parents: [], author, message: 'subject\n\nno newline' })
      assert.equal(commit.oid, gitWith(commit.content, path, 'hash-object', '-w', '-t', 'commit', '--stdin'))
      assert.equal(
        git(path, 'show', '-s', '--format=%an|%ae|%ad|%B', '--date=raw', commit.oid),
        'A b|a@b|1700000000 -0530|subject\n\nno newline',
      )
      assert.deepEqual(parseCommit(commit.content), {
        tree: tree.oid,
        parents: [],
        author: 'A b <a@b> 1700000000 -0530',
        committer: 'A b <a@b> 1700000000 -0530',
        committedAtUnixSeconds: 1_700_000_000,
        message: 'subject\n\nno newline',
      })
    })

    it(`encodes a pack of ${format} objects that git unpacks`, (t) => {
      const { git, gitWith, dir } = createSandbox(t)
      git(dir, 'init', '-q', `--object-format=${format}`, 'r')
      // Sizes at the edges of the entry header: 4 bits, then 7 bits per byte.
      const blobs = [0, 1, 15, 16, 2047, 2048, 262_143, 262_144].map((size) =>
        encodeObject(format, 'blob', Buffer.alloc(size, 'x')),
      )
      gitWith(Buffer.concat([...encodePack(format, blobs)]), join(dir, 'r'), 'unpack-objects', '-q', '--strict')
      for (const { oid, content } of blobs)
        assert.equal(git(join(dir, 'r'), 'cat-file', '-s', oid), `${content.byteLength}`)
    })

    it(`builds nested ${format} trees like the index of git`, (t) => {
      const { git, gitWith, dir } = createSandbox(t)
      git(dir, 'init', '-q', `--object-format=${format}`, 'r')
      const path = join(dir, 'r')
      const files = new Map([
        ['a/b/c', Buffer.from('1')],
        ['a/b.c', Buffer.from('2')],
        ['a-b', Buffer.from('3')],
        ['a/b/d', Buffer.from('1')],
      ])
      const built = buildTree(format, files)
      gitWith(Buffer.concat([...encodePack(format, built.objects)]), path, 'unpack-objects', '-q')
      for (const [name, content] of files) {
        git(path, 'update-index', '--add', '--cacheinfo', `100644,${encodeObject(format, 'blob', content).oid},${name}`)
      }
      assert.equal(git(path, 'write-tree'), built.root)
      assert.equal(built.objects.length, new Set(built.objects.map(({ oid }) => oid)).size)
    })
  })
}

describe('invalid objects, ids and paths', () => {
  const oid = 'a'.repeat(40)
  const damagedTrees = {
    'no id': '100644 a\0short',
    'no name': `100644 \0${'x'.repeat(20)}`,
    'no space': 'x'.repeat(30),
    'long mode': `1006441 a\0${'x'.repeat(20)}`,
  }
  for (const [what, text] of Object.entries(damagedTrees)) {
    it(`parseTree rejects a tree with ${what}`, () => {
      assert.throws(() => parseTree('sha1', Buffer.from(text)), CorruptObjectError)
    })
  }

  for (const text of [
    '',
    `tree ${oid}\n\nx`,
    `tree ${oid}\nauthor a <b> 1 +0000\n\nx`,
    `tree xyz\nauthor a <b> 1 +0000\ncommitter a <b> 1 +0000\n\n`,
  ]) {
    it(`parseCommit rejects ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(() => parseCommit(Buffer.from(text)), CorruptObjectError)
    })
  }

  for (const text of ['', oid.slice(1), `${oid}a`, oid.toUpperCase(), `${oid.slice(1)}g`, `${oid}\n`]) {
    it(`parseOid rejects ${JSON.stringify(text)}`, () => {
      assert.equal(parseOid(oid, 'sha1'), oid)
      assert.throws(() => parseOid(text, 'sha1'), InvalidArgsError)
    })
  }

  for (const path of ['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', '.git/x', 'a/.GIT', 'a\0b']) {
    it(`buildTree rejects the path ${JSON.stringify(path)}`, () => {
      assert.throws(() => buildTree('sha1', new Map([[path, oid as Oid]])), InvalidArgsError)
    })
  }

  it('buildTree rejects a path that is both file and directory', () => {
    for (const paths of [
      ['a', 'a/b'],
      ['a/b', 'a'],
    ]) {
      assert.throws(() => buildTree('sha1', new Map(paths.map((path) => [path, oid as Oid]))), InvalidArgsError)
    }
  })
})

describe('ref names', () => {
  const bad = [
    'wal',
    'refs',
    'refs/',
    'refs/a/',
    'refs//a',
    'refs/.a',
    'refs/a/.b',
    'refs/a..b',
    'refs/a b',
    'refs/a~',
    'refs/a^',
    'refs/a:b',
    'refs/a?',
    'refs/a*',
    'refs/a[',
    'refs/a\\b',
    'refs/a.lock',
    'refs/a.lock/b',
    'refs/a@{b',
    'refs/a.',
    'refs/a\x7f',
    'refs/a\n',
  ]
  it('parseRefName rejects exactly the names that git rejects', (t) => {
    const { git, dir } = createSandbox(t)
    for (const name of bad) {
      assert.throws(() => parseRefName(name), InvalidArgsError, name)
      if (name !== 'refs') assert.throws(() => git(dir, 'check-ref-format', name))
    }
    for (const name of ['refs/grite/wal', 'refs/grite/forks/äö', 'refs/a/b@c', 'refs/a.b/c-d', 'refs/a/@']) {
      assert.equal(parseRefName(name), name)
      git(dir, 'check-ref-format', name)
    }
  })
})
