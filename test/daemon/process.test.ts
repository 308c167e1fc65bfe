/** The built command line through its daemon: the daemon commands, places, signals, pipes and exit statuses. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { griteIn, gritePath, readFailure } from '../contract/grite-process.ts'
import { createDaemonSandbox, daemonsIn, isAlive } from './daemon-process.ts'
import { commandLine } from './end-daemons.ts'

test('start, status, logs and stop', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'new', '--title=Secret')
  assert.deepEqual(place.data('daemon', 'status').running, false)
  assert.deepEqual(place.data('daemon', 'stop'), { stopped: false, pid: null, reason: 'not running' })
  const started = place.data('daemon', 'start', '--idle-timeout=77')
  assert.deepEqual([started.started, started.idle_timeout_secs, started.reason], [true, 77, null])
  const again = place.data('daemon', 'start')
  assert.deepEqual([again.started, again.pid, again.reason], [false, started.pid, 'already running'])
  assert.ok(commandLine(started.pid).startsWith(`grite daemon ${place.path}/.git`))
  assert.match(place.data('list').issues[0].title, /Secret/)
  const status = place.data('daemon', 'status')
  assert.deepEqual(
    [status.running, status.pid, status.repository, status.idle_timeout_secs],
    [true, started.pid, join(place.path, '.git'), 77],
  )
  const all = place.data('daemon', 'status', '--all').daemons
  assert.ok(all.some(({ pid, repository }: typeof status) => pid === started.pid && repository === status.repository))
  assert.deepEqual(place.data('daemon', 'stop'), { stopped: true, pid: started.pid, reason: null })
  assert.ok(!isAlive(started.pid))
  assert.ok(!existsSync(started.endpoint))
  assert.equal(place.endpoint(), undefined)
  const { lines, path } = place.data('daemon', 'logs')
  assert.deepEqual(
    lines.map(({ message }: { message: string }) => message),
    ['started', 'ended'],
  )
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.doesNotMatch(readFileSync(path, 'utf8'), /Secret/)
})

test('an empty GRITE_REQUEST is as none', async (t) => {
  const place = createDaemonSandbox(t)
  place.data('daemon', 'start')
  const served = await place.countServed(() => {
    const { status, stdout } = place.griteWith({ env: { GRITE_REQUEST: '' } }, 'new', '--title=First', '--json')
    assert.equal(status, 0, stdout)
  })
  assert.equal(served, 1)
})

test('a daemon in the foreground ends with Ctrl-C and says why', async (t) => {
  const place = createDaemonSandbox(t)
  const daemon = place.start('daemon', 'start', '--foreground', '--json')
  daemon.stdout.resume()
  const { pid } = await place.started()
  assert.equal(pid, daemon.pid)
  const second = place.start('daemon', 'start', '--foreground', '--json')
  assert.deepEqual(await once(second, 'close'), [0, null])
  daemon.kill('SIGINT')
  const [status] = await once(daemon, 'close')
  assert.ok(status === 0 || status === 130, `${status}`)
  assert.equal(place.endpoint(), undefined)
})

test('the launcher is installed beside nothing else, and never over something', (t) => {
  const place = createDaemonSandbox(t)
  const installed = join(place.dir, 'installed')
  cpSync(dirname(gritePath), installed, { recursive: true })
  rmSync(join(installed, 'grite-fast'), { force: true })
  // As npm installs it.
  const program = join(place.dir, 'grite')
  symlinkSync(join(installed, 'grite.cjs'), program)
  // Without a compiler.
  const env = { ...place.environment, PATH: join(place.dir, 'nothing') }
  const install = (folder: string) => {
    const words = [program, 'daemon', 'install-launcher', folder, '--json']
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      cwd: place.path,
      env,
      encoding: 'utf8',
    })
    return { status, stdout, stderr }
  }
  const bin = join(place.dir, 'bin')
  mkdirSync(bin)
  const { code, message } = readFailure(install(bin))
  assert.equal(code, 'not_found')
  assert.match(message, /there is no C compiler \(cc\) to build it/)
  assert.deepEqual(readdirSync(bin), [])
  writeFileSync(join(installed, 'grite-fast'), '')
  assert.equal(readFailure(install(join(installed, 'grite.cjs'))).code, 'io_error')
  assert.equal(JSON.parse(install(join(place.dir, 'absent/bin')).stdout).data.outcome, 'created')
  assert.equal(JSON.parse(install(bin).stdout).data.outcome, 'created')
  assert.equal(JSON.parse(install(bin).stdout).data.outcome, 'unchanged')
  const taken = join(place.dir, 'taken')
  mkdirSync(taken)
  writeFileSync(join(taken, 'grite'), 'mine')
  assert.equal(readFailure(install(taken)).code, 'conflict')
  assert.equal(readFileSync(join(taken, 'grite'), 'utf8'), 'mine')
})

test('work trees, links, spaces, other alphabets and long paths share one daemon', async (t) => {
  const made = createDaemonSandbox(t)
  const path = join(made.dir, `a repository ä 日本 ${'long/'.repeat(30)}end`)
  mkdirSync(path, { recursive: true })
  made.git(path, 'init', '-q', '-b', 'main', '--template=')
  const place = daemonsIn(made, path)
  place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'new', '--title=One')
  made.git(path, 'commit', '-q', '--allow-empty', '-m', 'first')
  const tree = join(made.dir, 'a tree')
  made.git(path, 'worktree', 'add', '-q', '-b', 'other', tree)
  const link = join(made.dir, 'link')
  symlinkSync(path, link)
  mkdirSync(join(path, 'below'))
  writeFileSync(join(tree, 'note.txt'), 'of the work tree')
  place.startDaemon()
  const [{ issue_id }] = place.data('list').issues
  const served = await place.countServed(() => {
    for (const cwd of [path, join(path, 'below'), join(path, '.git'), link, tree, join(link, 'below')]) {
      assert.equal(griteIn(place, cwd).data('list').total, 1, cwd)
    }
    // Relative to the directory of the caller.
    griteIn(place, tree).data('issue', 'attachment', 'add', issue_id, '--file=note.txt')
  })
  assert.equal(served, 7)
  assert.equal(
    readFailure(griteIn(place, path).grite('attach', issue_id, '--file=note.txt', '--json')).status === 0,
    false,
  )
})

test('exit statuses, errors and standard input are those of the command', async (t) => {
  const place = createDaemonSandbox(t)
  const id = place.create('One')
  place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'list')
  await place.started()
  const lines: readonly (readonly [status: number, stdin: string, ...words: string[]])[] = [
    [3, '', 'show', 'ffffffff'],
    [3, '', 'show', 'ffffffff', '--json'],
    [2, '', 'list', '--nothing'],
    [3, '', 'query', 'run', 'absent'],
    [0, '', 'help', 'list'],
    [0, '', '--version'],
    [2, '', 'comment', id, '--body-file=-'],
    [3, '{"op":"create","title":"Two"}\n{"op":"close","issue":"ffffffff"}\n', 'batch'],
  ]
  const here = lines.map(([, stdin, ...words]) => place.griteWith({ stdin }, ...words, '--no-daemon'))
  const served = await place.countServed(() => {
    const there = lines.map(([, stdin, ...words]) => place.griteWith({ stdin }, ...words))
    assert.deepEqual(there, here)
  })
  assert.deepEqual(
    here.map(({ status }) => status),
    lines.map(([status]) => status),
  )
  assert.equal(served, lines.length)
  const text = `ä${'long text '.repeat(30_000)}`
  const { status } = place.griteWith({ stdin: text }, 'comment', id, '--body-file=-')
  assert.equal(status, 0)
  assert.equal(place.data('show', id).events.at(-1).kind.CommentAdded.body, text)
})

test('a command whose standard input stays open does not read it', async (t) => {
  const place = createDaemonSandbox(t)
  place.create('One')
  await place.started()
  const child = place.start('list')
  assert.deepEqual(await once(child, 'close'), [0, null])
})

test('--no-daemon works beside a daemon, which leaves it the view', async (t) => {
  const place = createDaemonSandbox(t)
  place.create('One')
  await place.started()
  for (const title of ['Two', 'Three']) {
    // The daemon has the view open.
    const served = await place.countServed(() => place.data('list'))
    assert.equal(served, 1)
    const { status, stderr } = place.grite('new', `--title=${title}`, '--no-daemon')
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(place.grite('list', '--no-daemon').stdout, new RegExp(title))
  }
  assert.equal(place.data('list').total, 3)
})

test('Ctrl-C ends a served watch with the status of the signal', async (t) => {
  const place = createDaemonSandbox(t)
  const id = place.create('One')
  await place.started()
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const watch = place.start('watch', '--json')
    const lines = createInterface({ input: watch.stdout })
    const line = once(lines, 'line')
    while ((await place.status()).requests === 0) await sleep(20)
    await sleep(300)
    place.data('comment', id, `--body=${signal}`)
    await line
    watch.kill(signal)
    assert.deepEqual(await once(watch, 'close'), [status, null])
    for (let round = 0; (await place.status()).requests !== 0; round++) {
      assert.ok(round < 100, 'the request goes on in the daemon')
      await sleep(20)
    }
  }
})

test('a served watch ends when its reader does, without another event', async (t) => {
  const place = createDaemonSandbox(t)
  place.create('One')
  await place.started()
  const watch = spawn(process.execPath, [gritePath, 'watch', '--json'], {
    cwd: place.path,
    env: place.environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => watch.kill('SIGKILL'))
  while ((await place.status()).requests === 0) await sleep(20)
  watch.stdout.destroy()
  const end = await Promise.race([once(watch, 'close'), sleep(5000)])
  assert.deepEqual(end, [0, null])
})

test('a reader that takes one line ends a served list', async (t) => {
  const place = createDaemonSandbox(t)
  const operations = Array.from(
    { length: 800 },
    (_, index) => `{"op":"create","title":"${'Issue '.repeat(40)}${index}"}`,
  )
  assert.equal(place.griteWith({ stdin: operations.join('\n') }, 'batch').status, 0)
  await place.started()
  const script = `set -o pipefail; '${process.execPath}' '${gritePath}' list --limit=800 | head -1; echo "status \${PIPESTATUS[0]}"`
  const served = await place.countServed(() => {
    const { stdout, stderr } = spawnSync('bash', ['-c', script], {
      cwd: place.path,
      env: place.environment,
      encoding: 'utf8',
    })
    assert.deepEqual([stderr, stdout.trimEnd().split('\n').at(-1)], ['', 'status 0'])
  })
  assert.equal(served, 1)
})
