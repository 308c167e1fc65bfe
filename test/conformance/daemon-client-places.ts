/** Where a client looks for the daemon, and when it must not use it; a part of the conformance suite. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { answers, startFakeDaemon, welcome, writeEndpoint } from '../support/fake-daemon.ts'
import { assertLocal, converse, createPlace, type DaemonClient, runClient, type Talk } from './daemon-client-setup.ts'

/** Answers with a line of output. */
const talkDone: Talk = async (connection) => {
  const { id } = await connection.receiveRun()
  const { accepted, stdout, exit } = answers(id)
  await connection.send(welcome, accepted, stdout('done\n'), exit(0))
}

export function daemonClientPlaces(client: DaemonClient): void {
  const layouts: Readonly<Record<string, (repository: string, dir: string) => string>> = {
    'a folder of the work tree': (repository) => makeDir(join(repository, 'a/b c/ü')),
    'the git directory': (repository) => join(repository, '.git/grite'),
    'a linked work tree': (repository, dir) => {
      const own = makeDir(join(repository, '.git/worktrees/linked'))
      writeFileSync(join(own, 'commondir'), '../..\n')
      const tree = makeDir(join(dir, 'linked tree/sub'))
      writeFileSync(join(tree, '../.git'), `gitdir: ${own}\n`)
      return tree
    },
    'a work tree with a relative path to its git directory': (_repository, dir) => {
      const tree = makeDir(join(dir, 'super/module'))
      writeFileSync(join(tree, '.git'), 'gitdir: ../../repository/.git')
      return tree
    },
    'a work tree whose git directory is a symbolic link': (repository, dir) => {
      const tree = makeDir(join(dir, 'with link'))
      symlinkSync(join(repository, '.git'), join(tree, '.git'))
      return tree
    },
  }
  for (const [name, make] of Object.entries(layouts)) {
    it(`from ${name}`, async (t) => {
      const outcome = await converse(t, client, talkDone, ({ repository, dir }) => ({ cwd: make(repository, dir) }))
      assert.deepEqual([outcome.status, outcome.stdout], [0, 'done\n'])
    })
  }

  it('not of a repository around the nearest one', async (t) => {
    const place = createPlace(t)
    const daemon = await startFakeDaemon(t, place, talkDone)
    const inner = makeDir(join(place.repository, 'inner/.git'))
    assertLocal(await runClient(client, place, { cwd: join(inner, '..') }), ['list'], null)
    assert.equal(daemon.connections(), 0)
  })

  const places: Readonly<Record<string, (repository: string) => void>> = {
    'outside of a repository': () => undefined,
    'without a daemon': (repository) => makeDir(join(repository, '.git')),
    'with a broken .git file': (repository) => writeFileSync(join(repository, '.git'), 'gitdir:\n'),
    'with a .git file that leads nowhere': (repository) => writeFileSync(join(repository, '.git'), 'gitdir: gone\n'),
  }
  for (const [name, make] of Object.entries(places)) {
    it(`and runs grite ${name}`, async (t) => {
      const place = createPlace(t)
      const repository = makeDir(join(place.dir, 'other'))
      make(repository)
      assertLocal(await runClient(client, place, { cwd: repository, words: ['a', 'b'] }), ['a', 'b'], null)
    })
  }

  const files: Readonly<Record<string, (socket: string) => string>> = {
    'is empty': () => '',
    'is of another protocol': (socket) => `2 boot-id namespace 1 123 ${socket}\n`,
    'lacks a word': (socket) => `1 namespace 1 123 ${socket}\n`,
    'names a relative path': () => '1 boot-id namespace 1 123 socket\n',
    'has a second line': (socket) => `1 boot-id namespace 1 123 ${socket}\n${socket}\n`,
    'names a path that is too long': () => `1 boot-id namespace 1 123 /${'x'.repeat(200)}\n`,
    'names no file': (socket) => `1 boot-id namespace 1 123 ${socket}x\n`,
    'names a file that is no socket': () => '1 boot-id namespace 1 123 /dev/null\n',
    'is not text': () => `1 boot-id namespace 1 123 /\0${'\xff'.repeat(5000)}\n`,
  }
  for (const [name, text] of Object.entries(files)) {
    it(`and runs grite when the file that names the socket ${name}`, async (t) => {
      const place = createPlace(t)
      const daemon = await startFakeDaemon(t, place, talkDone)
      writeEndpoint(place.commonDir, text(place.socket))
      assertLocal(await runClient(client, place), ['list'], null)
      assert.equal(daemon.connections(), 0)
    })
  }

  it('and runs grite when nothing listens on the socket', async (t) => {
    const place = createPlace(t)
    const leave = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
    await once(spawn(process.execPath, ['-e', leave, place.socket]), 'exit')
    writeEndpoint(place.commonDir, `1 boot-id namespace 1 123 ${place.socket}\n`)
    assertLocal(await runClient(client, place), ['list'], null)
  })

  const whyNoOwner = process.geteuid?.() === 0 ? false : 'only root can give a socket to another user'
  it('and runs grite when the socket belongs to another user', { skip: whyNoOwner }, async (t) => {
    const place = createPlace(t)
    const daemon = await startFakeDaemon(t, place, talkDone)
    chownSync(place.socket, 12_345, 12_345)
    assertLocal(await runClient(client, place), ['list'], null)
    assert.equal(daemon.connections(), 0)
  })
}

function makeDir(path: string): string {
  mkdirSync(path, { recursive: true })
  return path
}

export function daemonClientAbstains(client: DaemonClient): void {
  const lines = [['list', '--no-daemon'], ['list', '--', '--no-daemon'], ['daemon', 'status'], ['daemon']]
  for (const words of lines) {
    it(`for grite ${words.join(' ')}`, async (t) => void (await assertKeptAway(t, { words })))
  }

  const variables = {
    ...{ GRITE_NO_DAEMON: '1', GIT_DIR: '.git', GIT_WORK_TREE: '', GIT_COMMON_DIR: 'x', GIT_INDEX_FILE: 'x' },
    ...{
      GIT_OBJECT_DIRECTORY: 'x',
      GIT_ALTERNATE_OBJECT_DIRECTORIES: 'x',
      GIT_NAMESPACE: 'x',
      GIT_QUARANTINE_PATH: 'x',
    },
    ...{ GIT_CEILING_DIRECTORIES: 'x', GIT_DISCOVERY_ACROSS_FILESYSTEM: '0' },
  }
  for (const [name, value] of Object.entries(variables)) {
    it(`with ${name}=${value}`, async (t) => void (await assertKeptAway(t, { env: { [name]: value } })))
  }
  for (const [name, value] of [
    ['GRITE_NO_DAEMON', '0'],
    ['GRITE_NO_DAEMON', ''],
    ['GIT_DIRECTORY', 'x'],
  ] as const) {
    it(`but not with ${name}=${value}`, async (t) => {
      const { stdout } = await converse(t, client, talkDone, { env: { [name]: value } })
      assert.equal(stdout, 'done\n')
    })
  }

  it('but not for the word daemon in another place', async (t) => {
    const { stdout } = await converse(t, client, talkDone, { words: ['search', 'daemon'] })
    assert.equal(stdout, 'done\n')
  })

  const byShell = (script: string) => ({ wrapper: ['sh', '-c', script, 'sh'] })
  it('when a word is not UTF-8', async (t) => {
    for (const bytes of ['\\377', 'a\\300\\200', '\\355\\240\\200', '\\364\\220\\200\\200', '\\342\\202']) {
      const { rawWords } = await assertKeptAway(t, byShell(`exec "$@" "$(printf '${bytes}')"`))
      assert.equal(rawWords?.at(-1), octal(bytes))
    }
  })
  it('when a variable to be sent is not UTF-8', async (t) => {
    await assertKeptAway(t, byShell(`LC_X="$(printf 'a\\377')" exec "$@"`))
  })
  it('when the current directory is not UTF-8', async (t) => {
    await assertKeptAway(t, byShell(`cd "$(mkdir "$(printf '\\377')" && printf '\\377')" && exec "$@"`))
  })
  it('but not when a variable that stays is not UTF-8', async (t) => {
    const { stdout } = await converse(t, client, talkDone, byShell(`OTHER="$(printf '\\377')" exec "$@"`))
    assert.equal(stdout, 'done\n')
  })

  async function assertKeptAway(t: Parameters<typeof createPlace>[0], options: Parameters<typeof runClient>[2]) {
    const place = createPlace(t)
    const daemon = await startFakeDaemon(t, place, talkDone)
    const { local, status, stdout, stderr } = await runClient(client, place, options)
    assert.ok(local !== null, stdout + stderr)
    assert.deepEqual([local.request, status, daemon.connections()], [null, 17, 0])
    return local
  }
}

const octal = (escaped: string) =>
  escaped.replaceAll(/\\(\d{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)))
