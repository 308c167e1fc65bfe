import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { StorageError } from '../../src/model/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import { openDiskStore } from '../../src/view/store.ts'
import { ViewDirectory } from '../../src/view/view-directory.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { countPauses, pausesOf } from '../support/count-pauses.ts'
import { dumpStore } from '../support/log.ts'

async function setUp(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { run, path, warnings, withRepository } = sandbox
  await run('issue create', { title: 'a' })
  await run('issue list')
  const level = await withRepository(async (repository) =>
    repository.paths.viewLevels((await repository.findActor())?.actor.id),
  )
  return {
    ...sandbox,
    path,
    level,
    current: () => join(level, readFileSync(join(level, 'current'), 'utf8').trim()),
    titles: async () => ((await run('issue list')) as { issues: IssueRow[] }).issues.map(({ title }) => title).sort(),
    takeWarnings: () => warnings.splice(0).map(({ code }) => code),
  }
}

/** Names in a `level` folder, without the rows files. */
const entries = (level: string): string[] =>
  readdirSync(level)
    .filter((name) => !name.startsWith('rows'))
    .sort()

/** Holds a LevelDB directory open in another process until killed. */
async function holdElsewhere(t: TestContext, directory: string): Promise<{ release(): Promise<void> }> {
  const script = `
    const { ClassicLevel } = require('classic-level')
    const store = new ClassicLevel(process.argv[1])
    store.open().then(() => { console.log('open'); setInterval(() => {}, 1000) })`
  const child = spawn(process.execPath, ['-e', script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  t.after(() => void child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return {
    release() {
      child.kill('SIGKILL')
      return ended
    },
  }
}

const foreignStore = async (folder: string) => {
  rmSync(folder, { recursive: true, force: true })
  const store = await openDiskStore(folder, { create: true })
  await store.put(Buffer.from('somebody'), Buffer.from('else'))
  await store.close()
}

/** Contents found in place of a view, and whether they are set aside. */
const spoilers: Readonly<Record<string, { spoil: (folder: string) => void | Promise<void>; aside: boolean }>> = {
  'a garbage CURRENT': { spoil: (folder) => writeFileSync(join(folder, 'CURRENT'), 'garbage'), aside: true },
  'an empty CURRENT': { spoil: (folder) => writeFileSync(join(folder, 'CURRENT'), ''), aside: true },
  'a garbage MANIFEST': {
    spoil(folder) {
      const manifest = readdirSync(folder).find((name) => name.startsWith('MANIFEST'))
      writeFileSync(join(folder, manifest as string), 'garbage that is long enough to be read as a record')
    },
    aside: true,
  },
  'no MANIFEST': {
    spoil(folder) {
      for (const name of readdirSync(folder)) if (name.startsWith('MANIFEST')) rmSync(join(folder, name))
    },
    aside: true,
  },
  'somebody else’s LevelDB': { spoil: foreignStore, aside: true },
  'a plain file': {
    spoil(folder) {
      rmSync(folder, { recursive: true })
      writeFileSync(folder, 'a file')
    },
    aside: true,
  },
  'a schema from the future': {
    async spoil(folder) {
      const store = await openDiskStore(folder, { create: false })
      await store.put(Buffer.from('meta/schema'), Buffer.from('999'))
      await store.close()
    },
    aside: false,
  },
  'an empty folder': {
    spoil(folder) {
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
    },
    aside: false,
  },
  nothing: { spoil: (folder) => rmSync(folder, { recursive: true }), aside: false },
}

describe('damaged view directories', { concurrency: 2 }, () => {
  for (const [what, { spoil, aside }] of Object.entries(spoilers)) {
    for (const command of ['issue list', 'rebuild'] as const) {
      it(`${what} in the view directory: ${command} rebuilds it, ${aside ? 'keeping the old one' : 'leaving no trace'}`, async (t) => {
        const view = await setUp(t)
        assert.deepEqual(view.takeWarnings(), [])
        const folder = view.current()
        await spoil(folder)
        assert.ok((await pausesOf(() => view.run(command))) < 1500, 'without waiting for anybody')
        assert.deepEqual(view.takeWarnings(), aside ? ['view-set-aside'] : [])
        assert.equal(existsSync(`${folder}.aside`), aside)
        assert.deepEqual(await view.titles(), ['a'])
        await view.run('issue create', { title: 'b' })
        assert.deepEqual(await view.titles(), ['a', 'b'])
        assert.deepEqual(view.takeWarnings(), [])
        assert.ok(existsSync(join(view.current(), 'CURRENT')), 'on the disk again')
      })
    }
  }

  it('a plain file in place of the view folder is set aside', async (t) => {
    const view = await setUp(t)
    for (const command of ['issue list', 'rebuild']) {
      rmSync(view.level, { recursive: true })
      writeFileSync(view.level, 'a file')
      await view.run(command)
      assert.deepEqual(view.takeWarnings(), ['view-set-aside'])
      assert.equal(readFileSync(`${view.level}.aside`, 'utf8'), 'a file')
      assert.ok(statSync(view.current()).isDirectory())
    }
    assert.deepEqual(await view.titles(), ['a'])
  })

  it('an invalid name in current leads to a rebuild', async (t) => {
    const view = await setUp(t)
    for (const text of ['', 'x', '-1', '77']) {
      writeFileSync(join(view.level, 'current'), text)
      assert.deepEqual(await view.titles(), ['a'])
      assert.deepEqual(view.takeWarnings(), [])
    }
  })
})

// One at a time: one test mocks a method of all view directories.
describe('a rebuild', { concurrency: 1 }, () => {
  it('a rebuild switches directories and deletes leftovers', async (t) => {
    const view = await setUp(t)
    cpSync(view.current(), join(view.level, '7'), { recursive: true })
    mkdirSync(join(view.level, '8'))
    mkdirSync(join(view.level, '9.removed'))
    writeFileSync(join(view.level, 'current.1.4'), '4\n')
    await view.run('rebuild')
    assert.deepEqual(entries(view.level), ['9', 'current'])
    assert.equal(readFileSync(join(view.level, 'current'), 'utf8'), '9\n')
    assert.deepEqual(await view.titles(), ['a'])
  })

  it('a rebuild keeps a directory that another process holds', async (t) => {
    const view = await setUp(t)
    cpSync(view.current(), join(view.level, '7'), { recursive: true })
    const held = await holdElsewhere(t, join(view.level, '7'))
    await view.run('rebuild')
    assert.deepEqual(entries(view.level), ['7', '8', 'current'])
    await held.release()
    await view.run('rebuild')
    assert.deepEqual(entries(view.level), ['9', 'current'])
  })

  it('concurrent rebuilds all succeed', async (t) => {
    const view = await setUp(t)
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 4 }, () => view.run('rebuild')))
      assert.deepEqual(await view.titles(), ['a'])
    }
    await view.run('rebuild')
    assert.equal(entries(view.level).length, 2)
    assert.deepEqual(view.takeWarnings(), [])
  })

  it('a failed rebuild reports the error and keeps the old view', async (t) => {
    const view = await setUp(t)
    const before = view.current()
    t.mock.method(ViewDirectory.prototype, 'create', async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    })
    await assert.rejects(view.run('rebuild'), (error) => error instanceof StorageError && error.code === 'io_error')
    assert.equal(view.current(), before)
    assert.deepEqual(await view.titles(), ['a'])
  })
})

describe('a view held by another process', { concurrency: 2 }, () => {
  it('a command waits briefly for a held view', async (t) => {
    const view = await setUp(t)
    const held = await holdElsewhere(t, view.current())
    const listing = view.titles()
    await held.release()
    assert.deepEqual(await listing, ['a'])
  })

  it('after two seconds a command works without the held view', async (t) => {
    const view = await setUp(t)
    await holdElsewhere(t, view.current())
    const { done, pausedMs } = countPauses(view.titles)
    assert.deepEqual(await done, ['a'])
    assert.ok(pausedMs() < 3000)
    const [{ issue_id }] = ((await view.run('issue list')) as { issues: [IssueRow] }).issues
    await view.run('issue comment', { issue: issue_id, body: 'written beside it' })
    const { issues } = (await view.run('issue list')) as { issues: IssueRow[] }
    assert.equal(issues[0]?.comment_count, 1)
    assert.deepEqual(view.takeWarnings(), [])
  })

  it('a released view catches up with missed events', async (t) => {
    const view = await setUp(t)
    const held = await holdElsewhere(t, view.current())
    await view.run('issue create', { title: 'b' })
    await held.release()
    const live = await view.withRepository(async (repository) => dumpStore((await repository.view()).store))
    const rebuilt = await view.withRepository(async (repository) => dumpStore((await repository.rebuild()).store))
    assert.deepEqual(live, rebuilt)
    assert.deepEqual(await view.titles(), ['a', 'b'])
  })
})
