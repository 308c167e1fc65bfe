/** Hostile commits with endless trees: every port reads equal files, up to the limits. */
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

/** Collects objects and returns their ids. */
class ObjectCollection {
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

  /** Makes a tree of nested levels, each naming the next level ten times. */
  bomb(levels: number, innermost: TreeEntry | null): Oid {
    let tree = innermost === null ? this.tree() : this.tree(innermost)
    for (let level = 1; level < levels; level++)
      tree = this.tree(...Array.from({ length: 10 }, (_, index) => folder(`d${index}`, tree)))
    return tree
  }
}

interface Case {
  readonly title: string
  readonly make: (store: ObjectCollection) => Oid
  /** Expected paths, or their count. */
  readonly files: readonly string[] | number
  readonly problem: RegExp | null
}

const cases: readonly Case[] = [
  {
    title: 'ten levels of trees, each naming the next ten times',
    make: (store) => {
      const bomb = store.bomb(10, file('f', store.blob('')))
      return store.commit(store.tree(folder('a', bomb), file('meta.json', store.blob('{}'))))
    },
    files: limits.commitFilesMax,
    problem: /^it holds more than 8192 files; the others were skipped$/,
  },
  {
    title: 'a tree bomb deeper than the depth limit',
    make: (store) => {
      const bomb = store.bomb(60, file('f', store.blob('')))
      return store.commit(store.tree(folder('a', bomb), file('meta.json', store.blob('{}'))))
    },
    files: [],
    problem: /lies deeper than 32 folders$/,
  },
  {
    title: 'a tree bomb without any file',
    make: (store) => store.commit(store.tree(folder('a', store.bomb(10, null)), file('meta.json', store.blob('{}')))),
    files: ['meta.json'],
    problem: null,
  },
  {
    title: 'as many files as the limit allows',
    make: (store) => {
      const blob = store.blob('x')
      const rows = Array.from({ length: limits.commitFilesMax }, (_, index) => file(`${index}`.padStart(5, '0'), blob))
      return store.commit(store.tree(...rows))
    },
    files: limits.commitFilesMax,
    problem: null,
  },
  {
    title: 'one file more than the limit',
    make: (store) => {
      const blob = store.blob('x')
      const length = limits.commitFilesMax + 1
      const rows = Array.from({ length }, (_, index) => file(`${index}`.padStart(5, '0'), blob))
      return store.commit(store.tree(...rows))
    },
    files: limits.commitFilesMax,
    problem: /more than 8192 files/,
  },
  {
    title: 'one path at the depth limit and one below it',
    make: (store) => {
      let tree = store.tree(file('f', store.blob('x')))
      for (let depth = 1; depth < limits.commitDepthMax; depth++) tree = store.tree(folder('d', tree))
      return store.commit(store.tree(folder('d', tree), folder('e', store.tree(folder('d', tree)))))
    },
    files: [`${'d/'.repeat(limits.commitDepthMax)}f`],
    problem: /^tree [0-9a-f]{40} \(e\/d\/.*\) lies deeper than 32 folders$/,
  },
  {
    title: 'a path over the length limit beside a short one',
    make: (store) => {
      const blob = store.blob('x')
      const long = store.tree(file('n'.repeat(limits.commitPathBytesMax - 1999), blob), file('short', blob))
      return store.commit(store.tree(folder('p'.repeat(2000), long), file('z', blob)))
    },
    files: [`${'p'.repeat(2000)}/short`, 'z'],
    problem: /^a path is longer than 4096 bytes: p{79}…$/,
  },
  {
    title: 'few files in many directories',
    make: (store) => {
      let tree = store.tree(file('f', store.blob('x')))
      for (let depth = 1; depth < 30; depth++) tree = store.tree(folder('d', tree))
      const count = Math.ceil(limits.commitTreeRowsMax / 31) + 1
      return store.commit(
        store.tree(...Array.from({ length: count }, (_, at) => folder(`${at}`.padStart(5, '0'), tree))),
      )
    },
    files: Math.floor(limits.commitTreeRowsMax / 31),
    problem: /^its trees have more than 65536 rows; the others were skipped$/,
  },
  {
    title: 'more folders without files than the limit on rows, before a file',
    make: (store) => {
      const empty = store.tree()
      const many = Array.from({ length: limits.commitTreeRowsMax + 1 }, (_, at) =>
        folder(`${at}`.padStart(5, '0'), empty),
      )
      const deep = store.tree(folder('a', store.tree(...many)), file('f', store.blob('x')))
      return store.commit(store.tree(folder('d', deep), file('z', store.blob('z'))))
    },
    files: ['d/f', 'z'],
    problem: null,
  },
  {
    title: 'trees larger than the limit',
    make: (store) => {
      const blob = store.blob('x')
      const names = Array.from({ length: 4500 }, (_, at) => `${at}`.padStart(4000, '0'))
      return store.commit(
        store.tree(file('a', blob), folder('b', store.tree(...names.map((name) => file(name, blob))))),
      )
    },
    files: ['a'],
    problem: /^tree [0-9a-f]{40} \(b\/?\) is too-large$/,
  },
  {
    title: 'more parents than the limit',
    make: (store) => {
      const tree = store.tree(file('f', store.blob('x')))
      const parents = Array.from({ length: limits.commitParentsMax + 1 }, (_, index) =>
        store.commit(tree, [], `${index}`),
      )
      return store.commit(tree, parents)
    },
    files: ['f'],
    problem: /^it has more than 64 parents$/,
  },
]

/** Returns the last entry of a history, with the length of each content. */
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

describe('hostile commits', { concurrency: 2 }, () => {
  for (const { title, make, files, problem } of cases) {
    it(`every port reads a bounded commit with ${title}`, async (t) => {
      const { layout, environment, run } = await createTempRepository(t)
      const store = new ObjectCollection()
      const head = make(store)
      const ports = [openNative, openRepository, openIsomorphic].map((open) => open(layout, { environment }))
      t.after(() => Promise.all(ports.map((port) => port.close())))
      await ports[1]?.publish({ objects: [...store.objects.values()], updates: [] })
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

describe('contents of a commit', () => {
  const mebibyte = 1024 * 1024
  const large = Buffer.alloc(60 * mebibyte)

  function assemble(sizes: Readonly<Record<string, number>>, comesFirst?: (path: string) => boolean) {
    const store = new ObjectCollection()
    const states = new Map<Oid, ObjectState>()
    const rows = Object.entries(sizes).map(([name, size], index) => {
      const oid = index.toString(16).padStart(40, '0') as Oid
      states.set(oid, large.subarray(0, size))
      return file(name, oid)
    })
    const tree = store.tree(...rows)
    const head = store.commit(tree)
    for (const [oid, { content }] of store.objects) states.set(oid, Buffer.from(content))
    return assembleCommit('sha1', head, states.get(head) as ObjectState, (oid) => states.get(oid), comesFirst)
  }
  const taken = (result: ReturnType<typeof assemble>) =>
    'files' in result ? result.files.filter(({ problem }) => problem === null).map(({ path }) => path) : null

  it('reads contents up to a total size, in tree order', () => {
    const rest = limits.commitContentBytesMax - 120 * mebibyte
    const sizes = { a: 60 * mebibyte, b: 60 * mebibyte, c: rest, d: 0, e: 1, f: 0 }
    assert.deepEqual(taken(assemble(sizes)), ['a', 'b', 'c', 'd'])
    const result = assemble(sizes) as CommitEntry
    assert.deepEqual(
      result.files.map(({ problem }) => problem),
      [null, null, null, null, 'too-large', 'too-large'],
    )
  })

  it('reads trees only up to a total size', () => {
    const store = new ObjectCollection()
    const names = (letter: string, length: number) =>
      Array.from({ length: 4000 }, (_, at) =>
        file(`${letter.repeat(length)}${`${at}`.padStart(5, '0')}`, store.blob('x')),
      )
    const trees = ['a', 'b'].map((letter) => store.tree(...names(letter, limits.commitTreeBytesMax / 8000)))
    const head = store.commit(store.tree(...trees.map((tree, at) => folder(`${at}`, tree))))
    const objects = new Map([...store.objects].map(([oid, { content }]) => [oid, Buffer.from(content)]))
    const result = assembleCommit('sha1', head, objects.get(head) as Buffer, (oid) => objects.get(oid)) as CommitEntry
    assert.deepEqual([result.files.length, result.files.every(({ path }) => path.startsWith('0/'))], [4000, true])
    assert.match(result.problem ?? '', /^tree [0-9a-f]{40} \(1\/\) is too-large$/)
  })

  it('reads preferred contents before the others', () => {
    const sizes = { a: 60 * mebibyte, b: 60 * mebibyte, 'c.bin': 60 * mebibyte }
    assert.deepEqual(taken(assemble(sizes, (path) => path.endsWith('.bin'))), ['a', 'c.bin'])
  })

  it('requests contents with the preferred ones first', () => {
    const store = new ObjectCollection()
    const tree = store.tree(file('a', store.blob('a')), file('b', store.blob('b')), file('c.bin', store.blob('c')))
    const head = store.commit(tree)
    const lookUp = (oid: Oid) => (oid === tree ? Buffer.from(store.objects.get(tree)?.content ?? []) : undefined)
    const commit = Buffer.from(store.objects.get(head)?.content ?? [])
    const result = assembleCommit('sha1', head, commit, lookUp, (path) => path.endsWith('.bin'))
    assert.deepEqual(result, { wanted: ['c', 'a', 'b'].map((text) => store.blob(text)) })
  })
})
