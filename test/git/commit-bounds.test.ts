/** What is taken of a commit that somebody made to be endless: the same by each way of reading, and no more than a bound. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assembleCommit, type ObjectState } from '../../src/git/assemble-commit.ts'
import {
  type CommitEntry,
  encodeCommit,
  encodeObject,
  type GitPort,
  type Oid,
  openIsomorphic,
  openNative,
  openRepository,
  type PendingObject,
} from '../../src/git/index.ts'
import { encodeTree, type TreeEntry } from '../../src/git/object-codec.ts'
import { limits } from '../../src/model/index.ts'
import { createTempRepository } from './temp-repository.ts'

const author = { name: 'x', email: 'x', unixSeconds: 1_700_000_000, offsetMinutes: 0 }
const file = (name: string, oid: Oid): TreeEntry => ({ mode: '100644', name, oid })
const folder = (name: string, oid: Oid): TreeEntry => ({ mode: '40000', name, oid })

/** Collects objects, and gives their ids. */
class Pile {
  readonly objects = new Map<Oid, PendingObject>()

  add(object: PendingObject): Oid {
    this.objects.set(object.oid, object)
    return object.oid
  }

  blob(content: string | Uint8Array): Oid {
    return this.add(encodeObject('sha1', 'blob', Buffer.from(content)))
  }

  tree(...rows: readonly TreeEntry[]): Oid {
    return this.add(encodeTree('sha1', rows))
  }

  commit(tree: Oid, parents: readonly Oid[] = [], message = 'x'): Oid {
    return this.add(encodeCommit('sha1', { tree, parents, author, message }))
  }

  /** A tree that names the same one ten times, and so on down to the innermost. */
  bomb(levels: number, innermost: TreeEntry | null): Oid {
    let tree = innermost === null ? this.tree() : this.tree(innermost)
    for (let level = 1; level < levels; level++)
      tree = this.tree(...Array.from({ length: 10 }, (_, index) => folder(`d${index}`, tree)))
    return tree
  }
}

interface Case {
  readonly title: string
  readonly make: (pile: Pile) => Oid
  /** Paths that come, or how many. */
  readonly files: readonly string[] | number
  readonly problem: RegExp | null
}

const cases: readonly Case[] = [
  {
    title: 'trees that name each other tenfold',
    make: (pile) => {
      const bomb = pile.bomb(10, file('f', pile.blob('')))
      return pile.commit(pile.tree(folder('a', bomb), file('meta.json', pile.blob('{}'))))
    },
    files: limits.commitFilesMax,
    problem: /^it holds more than 8192 files; the others were skipped$/,
  },
  {
    title: 'the same, deeper than is walked',
    make: (pile) => {
      const bomb = pile.bomb(60, file('f', pile.blob('')))
      return pile.commit(pile.tree(folder('a', bomb), file('meta.json', pile.blob('{}'))))
    },
    files: [],
    problem: /lies deeper than 32 folders$/,
  },
  {
    title: 'the same without any file',
    make: (pile) => pile.commit(pile.tree(folder('a', pile.bomb(10, null)), file('meta.json', pile.blob('{}')))),
    files: ['meta.json'],
    problem: null,
  },
  {
    title: 'as many files as are taken',
    make: (pile) => {
      const blob = pile.blob('x')
      const rows = Array.from({ length: limits.commitFilesMax }, (_, index) => file(`${index}`.padStart(5, '0'), blob))
      return pile.commit(pile.tree(...rows))
    },
    files: limits.commitFilesMax,
    problem: null,
  },
  {
    title: 'one file more',
    make: (pile) => {
      const blob = pile.blob('x')
      const length = limits.commitFilesMax + 1
      const rows = Array.from({ length }, (_, index) => file(`${index}`.padStart(5, '0'), blob))
      return pile.commit(pile.tree(...rows))
    },
    files: limits.commitFilesMax,
    problem: /more than 8192 files/,
  },
  {
    title: 'a path as deep as is walked, and one deeper',
    make: (pile) => {
      let tree = pile.tree(file('f', pile.blob('x')))
      for (let depth = 1; depth < limits.commitDepthMax; depth++) tree = pile.tree(folder('d', tree))
      return pile.commit(pile.tree(folder('d', tree), folder('e', pile.tree(folder('d', tree)))))
    },
    files: [`${'d/'.repeat(limits.commitDepthMax)}f`],
    problem: /^tree [0-9a-f]{40} \(e\/d\/.*\) lies deeper than 32 folders$/,
  },
  {
    title: 'a long path beside a short one',
    make: (pile) => {
      const blob = pile.blob('x')
      const long = pile.tree(file('n'.repeat(limits.commitPathBytesMax - 1999), blob), file('short', blob))
      return pile.commit(pile.tree(folder('p'.repeat(2000), long), file('z', blob)))
    },
    files: [`${'p'.repeat(2000)}/short`, 'z'],
    problem: /^a path is longer than 4096 bytes: p{79}…$/,
  },
  {
    title: 'few files in many folders',
    make: (pile) => {
      let tree = pile.tree(file('f', pile.blob('x')))
      for (let depth = 1; depth < 30; depth++) tree = pile.tree(folder('d', tree))
      const count = Math.ceil(limits.commitTreeRowsMax / 31) + 1
      return pile.commit(pile.tree(...Array.from({ length: count }, (_, at) => folder(`${at}`.padStart(5, '0'), tree))))
    },
    files: Math.floor(limits.commitTreeRowsMax / 31),
    problem: /^its trees have more than 65536 rows; the others were skipped$/,
  },
  {
    title: 'more parents than are taken',
    make: (pile) => {
      const tree = pile.tree(file('f', pile.blob('x')))
      const parents = Array.from({ length: limits.commitParentsMax + 1 }, (_, index) =>
        pile.commit(tree, [], `${index}`),
      )
      return pile.commit(tree, parents)
    },
    files: ['f'],
    problem: /^it has more than 64 parents$/,
  },
]

/** The last entry of a history, with its contents by their length. */
async function readLast(port: GitPort, head: Oid) {
  let last: CommitEntry | undefined
  let count = 0
  for await (const batch of port.readHistory({ head, blobBytesMax: 1_000_000 })) {
    count += batch.length
    last = batch.at(-1)
  }
  const files = last?.files.map(({ path, mode, oid, content, problem }) => [path, mode, oid, content?.length, problem])
  return { count, oid: last?.oid, parents: last?.parents, problem: last?.problem, gaps: last?.gaps, files }
}

describe('a commit without end', { concurrency: 2 }, () => {
  for (const { title, make, files, problem } of cases) {
    it(`is read the same by each way: ${title}`, async (t) => {
      const { layout, environment, run } = await createTempRepository(t)
      const pile = new Pile()
      const head = make(pile)
      const ports = [openNative, openRepository, openIsomorphic].map((open) => open(layout, { environment }))
      t.after(() => Promise.all(ports.map((port) => port.close())))
      await ports[1]?.publish({ objects: [...pile.objects.values()], updates: [] })
      run('update-ref', 'refs/heads/x', head)
      const [first, ...others] = await Promise.all(ports.map((port) => readLast(port, head)))
      assert.equal(first?.oid, head)
      if (problem === null) assert.equal(first.problem, null)
      else assert.match(first.problem ?? '', problem)
      const paths = first.files?.map(([path]) => path)
      if (typeof files === 'number') assert.equal(paths?.length, files)
      else assert.deepEqual(paths?.slice(0, 1), files.slice(0, 1))
      if (typeof files !== 'number') assert.deepEqual(paths, files)
      assert.ok((first.parents?.length ?? 0) <= limits.commitParentsMax)
      for (const other of others) assert.deepEqual(other, first)
    })
  }
})

describe('the contents of a commit', () => {
  const mebibyte = 1024 * 1024
  const large = Buffer.alloc(60 * mebibyte)

  function assemble(sizes: Readonly<Record<string, number>>, comesFirst?: (path: string) => boolean) {
    const pile = new Pile()
    const states = new Map<Oid, ObjectState>()
    const rows = Object.entries(sizes).map(([name, size], index) => {
      const oid = index.toString(16).padStart(40, '0') as Oid
      states.set(oid, large.subarray(0, size))
      return file(name, oid)
    })
    const tree = pile.tree(...rows)
    const head = pile.commit(tree)
    for (const [oid, { content }] of pile.objects) states.set(oid, Buffer.from(content))
    return assembleCommit('sha1', head, states.get(head) as ObjectState, (oid) => states.get(oid), comesFirst)
  }
  const taken = (result: ReturnType<typeof assemble>) =>
    'files' in result ? result.files.filter(({ problem }) => problem === null).map(({ path }) => path) : null

  it('are taken up to a number of bytes, in the order of the tree', () => {
    const rest = limits.commitContentBytesMax - 120 * mebibyte
    const sizes = { a: 60 * mebibyte, b: 60 * mebibyte, c: rest, d: 0, e: 1, f: 0 }
    assert.deepEqual(taken(assemble(sizes)), ['a', 'b', 'c', 'd'])
    const result = assemble(sizes) as CommitEntry
    assert.deepEqual(
      result.files.map(({ problem }) => problem),
      [null, null, null, null, 'too-large', 'too-large'],
    )
  })

  it('have room beside trees up to a number of bytes', () => {
    const pile = new Pile()
    const names = (letter: string, length: number) =>
      Array.from({ length: 4000 }, (_, at) =>
        file(`${letter.repeat(length)}${`${at}`.padStart(5, '0')}`, pile.blob('x')),
      )
    const trees = ['a', 'b'].map((letter) => pile.tree(...names(letter, limits.commitTreeBytesMax / 8000)))
    const head = pile.commit(pile.tree(...trees.map((tree, at) => folder(`${at}`, tree))))
    const objects = new Map([...pile.objects].map(([oid, { content }]) => [oid, Buffer.from(content)]))
    const result = assembleCommit('sha1', head, objects.get(head) as Buffer, (oid) => objects.get(oid)) as CommitEntry
    assert.deepEqual([result.files.length, result.files.every(({ path }) => path.startsWith('0/'))], [4000, true])
    assert.match(result.problem ?? '', /^tree [0-9a-f]{40} \(1\/\) is too-large$/)
  })

  it('that come first have room before the others', () => {
    const sizes = { a: 60 * mebibyte, b: 60 * mebibyte, 'c.bin': 60 * mebibyte }
    assert.deepEqual(taken(assemble(sizes, (path) => path.endsWith('.bin'))), ['a', 'c.bin'])
  })

  it('are asked for in the order in which they are taken', () => {
    const pile = new Pile()
    const tree = pile.tree(file('a', pile.blob('a')), file('b', pile.blob('b')), file('c.bin', pile.blob('c')))
    const head = pile.commit(tree)
    const lookUp = (oid: Oid) => (oid === tree ? Buffer.from(pile.objects.get(tree)?.content ?? []) : undefined)
    const commit = Buffer.from(pile.objects.get(head)?.content ?? [])
    const result = assembleCommit('sha1', head, commit, lookUp, (path) => path.endsWith('.bin'))
    assert.deepEqual(result, { wanted: ['c', 'a', 'b'].map((text) => pile.blob(text)) })
  })
})
