/** A remote that accepts a connection and never answers: the command ends after the timeout, with every process it started. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GriteError, InvalidArgsError } from '../../src/model/index.ts'
import { gritePath } from '../contract/grite-process.ts'
import { serveSilence, serveSlowly } from '../support/slow-proxy.ts'
import { type Clones, createClones, type Member } from '../sync/clones.ts'
import { serveDaemon, whyNoServers } from '../sync/servers.ts'

/** `script` of util-linux provides a terminal. */
const whyNoScript =
  spawnSync('script', ['-qec', 'true', '/dev/null'], { input: '' }).status === 0 ? false : 'there is no `script` here'

const impatient = { GRITE_REMOTE_TIMEOUT: '1' }

/** A program in the sandbox that first writes its process id. */
function program(setup: Clones, name: string, ...lines: readonly string[]) {
  const [file, pidFile] = [join(setup.dir, name), join(setup.dir, `${name}.pid`)]
  writeFileSync(file, ['#!/bin/sh', `echo $$ > '${pidFile}'`, ...lines, ''].join('\n'))
  chmodSync(file, 0o755)
  return { file, pid: () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : undefined) }
}

const silentSsh = (setup: Clones) => program(setup, 'silent-ssh', 'while :; do sleep 0.1; done')

async function assertGone(pid: number | undefined): Promise<void> {
  assert.ok(pid)
  for (let tries = 0; isRunning(pid); tries++) {
    assert.ok(tries < 500, `process ${pid} still runs`)
    await sleep(20)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function failOf(member: Member, name: string, input: object = {}): Promise<GriteError> {
  try {
    await member.run(name, { ...input })
  } catch (error) {
    if (error instanceof GriteError) return error
    throw error
  }
  throw new assert.AssertionError({ message: `${name} went well` })
}

function assertSilent({ code, exitStatus, message, details }: GriteError): void {
  assert.deepEqual([code, exitStatus, details.reason, details.seconds], ['remote_error', 5, 'silent', 1], message)
  assert.match(message, /'origin' did not answer for 1 s/)
}

describe('silent remotes', { concurrency: 4 }, () => {
  for (const scheme of ['git', 'http']) {
    it(`a sync with a silent ${scheme} remote ends after the timeout`, { skip: whyNoServers }, async (t) => {
      const setup = createClones(t)
      const ann = setup.clone('ann', { env: impatient, address: `${scheme}://${await serveSilence(t)}/x.git` })
      await ann.create('one')
      assertSilent(await failOf(ann, 'sync'))
      assert.deepEqual(await ann.titles(), ['one'])
    })
  }

  it('every remote command ends after the timeout, with its ssh', async (t) => {
    const setup = createClones(t)
    const ssh = silentSsh(setup)
    const ann = setup.clone('ann', { env: { ...impatient, GIT_SSH_COMMAND: ssh.file }, address: 'ssh://host/x' })
    await ann.create('one')
    const { issues } = (await ann.run('issue list')) as { issues: { issue_id: string }[] }
    const id = issues[0]?.issue_id
    const commands: readonly (readonly [string, object])[] = [
      ['init', {}],
      ['sync', {}],
      ['issue claim', { issue: id, remote: 'origin' }],
      ['lock acquire', { resource: 'repo:x', remote: 'origin' }],
      ['lock gc', { remote: 'origin' }],
    ]
    for (const [name, input] of commands) {
      assertSilent(await failOf(ann, name, input))
      await assertGone(ssh.pid())
    }
    // Nothing locks the repository afterwards.
    await ann.create('two')
    await ann.assertSound()
  })

  it('an ssh that ignores SIGTERM is killed', async (t) => {
    const setup = createClones(t)
    const ssh = program(setup, 'stubborn-ssh', "trap '' TERM", 'while :; do sleep 0.1; done')
    const ann = setup.clone('ann', { env: { ...impatient, GIT_SSH_COMMAND: ssh.file }, address: 'ssh://host/x' })
    assertSilent(await failOf(ann, 'sync'))
    await assertGone(ssh.pid())
  })

  it('an unanswered push loses nothing and is sent again', async (t) => {
    const setup = createClones(t)
    const bo = setup.clone('bo')
    await bo.create('of bo')
    await bo.sync()
    const ann = setup.clone('ann', { env: impatient })
    await ann.create('of ann')
    ann.git('config', 'remote.origin.pushurl', `git://${await serveSilence(t)}/x.git`)
    const error = await failOf(ann, 'sync')
    assertSilent(error)
    assert.equal(error.details.step, 'push')
    assert.match(error.hints.join('\n'), /Nothing is lost, but 'origin' may or may not have accepted the push/)
    // What was fetched before the push is kept.
    assert.deepEqual(await ann.titles(), ['of ann', 'of bo'])
    ann.git('config', '--unset', 'remote.origin.pushurl')
    assert.equal((await ann.sync()).push_changed, true)
    assert.deepEqual(await ann.titles(), ['of ann', 'of bo'])
    await ann.assertSound()
  })

  it('the configured remote timeout is used', async (t) => {
    const setup = createClones(t)
    const env = { GIT_SSH_COMMAND: silentSsh(setup).file }
    const ann = setup.clone('ann', { env, address: 'ssh://host/x' })
    await ann.create('one')
    const config = join(ann.path, '.git/grite/config.toml')
    const plain = readFileSync(config, 'utf8')
    for (const wrong of ['-1', '1.5', '"10"', '100000']) {
      writeFileSync(config, `${plain}\n[remote]\ntimeout = ${wrong}\n`)
      assert.match((await failOf(ann, 'sync')).message, /remote\.timeout must be a whole number of seconds up to 86400/)
    }
    writeFileSync(config, `${plain}\n[remote]\ntimeout = 1\n`)
    assertSilent(await failOf(ann, 'sync'))
    const bo = setup.clone('bo', { env: { ...env, GRITE_REMOTE_TIMEOUT: 'soon' }, address: 'ssh://host/x' })
    const error = await failOf(bo, 'sync')
    assert.ok(error instanceof InvalidArgsError)
    assert.match(error.message, /GRITE_REMOTE_TIMEOUT must be a whole number of seconds.*got "soon"/)
  })

  it('a password prompt does not count towards the timeout', { skip: whyNoScript }, (t) => {
    const setup = createClones(t)
    // git asks ssh for its version first, with -G.
    const asking = [
      'case "$1" in -G) exit 0;; esac',
      'exec 3</dev/tty',
      'sleep 2.5',
      'echo "Permission denied (x)" >&2',
    ]
    const ssh = program(setup, 'asking-ssh', ...asking, 'exit 255')
    const ann = setup.clone('ann', { address: 'ssh://host/x' })
    const { stdout } = spawnSync('script', ['-qec', `'${process.execPath}' '${gritePath}' sync`, '/dev/null'], {
      cwd: ann.path,
      env: { ...setup.environment, ...impatient, GIT_SSH_COMMAND: ssh.file, SHELL: '/bin/sh' },
      input: '',
      encoding: 'utf8',
      timeout: 30_000,
    })
    assert.match(stdout, /no access to 'origin': Permission denied/)
  })

  it('timeout 0 waits until an interrupt', async (t) => {
    const setup = createClones(t)
    const ssh = silentSsh(setup)
    const ann = setup.clone('ann', { address: 'ssh://host/x' })
    const child = spawn(process.execPath, [gritePath, 'sync'], {
      cwd: ann.path,
      env: { ...setup.environment, GRITE_REMOTE_TIMEOUT: '0', GIT_SSH_COMMAND: ssh.file },
      stdio: 'ignore',
    })
    const ended = once(child, 'exit')
    while (ssh.pid() === undefined) await sleep(20)
    await sleep(1500)
    assert.deepEqual([child.exitCode, child.signalCode], [null, null])
    // To grite alone; a terminal sends it to the whole group.
    child.kill('SIGINT')
    const [status, signal] = await ended
    assert.ok(status === 130 || signal === 'SIGINT', `${status} ${signal}`)
    await assertGone(ssh.pid())
  })
})

describe('slow remotes', { concurrency: 3, skip: whyNoServers }, () => {
  /** A remote with a log that takes a pack of about 100 KB. */
  async function setUp(t: TestContext) {
    const setup = createClones(t)
    const bo = setup.clone('bo')
    await bo.run('issue create', { title: 'large', body: randomBytes(50_000).toString('hex') })
    await bo.sync()
    const { address } = await serveDaemon(t, setup, setup.origin)
    const target = address.slice('git://'.length, address.lastIndexOf('/'))
    const through = (proxy: string) => `git://${proxy}/origin.git`
    return { setup, bo, target, through }
  }

  it('a fetch stalled inside a pack ends, and the next sync continues', async (t) => {
    const { setup, target, through } = await setUp(t)
    const stalling = await serveSlowly(t, target, { pieceBytes: 8192, pauseMs: 0, silentAfterBytes: 30_000 })
    const ann = setup.clone('ann', { env: impatient, address: through(stalling) })
    assertSilent(await failOf(ann, 'sync'))
    ann.git('remote', 'set-url', 'origin', setup.origin)
    assert.equal((await ann.sync()).pull_events, 1)
    await ann.assertSound()
  })

  it('a slow but steady transfer is never cut off', async (t) => {
    const { setup, target, through } = await setUp(t)
    // More than three times the limit, in pieces too small for a progress line.
    const slow = await serveSlowly(t, target, { pieceBytes: 1700, pauseMs: 50 })
    const ann = setup.clone('ann', { env: impatient, address: through(slow) })
    assert.equal((await ann.sync()).pull_events, 1)
  })

  it('slow hooks on both sides are never cut off', async (t) => {
    const { setup, bo } = await setUp(t)
    setup.inOrigin('config', 'receive.keepAlive', '1')
    const slow = '#!/bin/sh\nsleep 2.5\n'
    for (const [folder, name] of [
      [join(setup.origin, 'hooks'), 'pre-receive'],
      [join(bo.path, '.git/hooks'), 'pre-push'],
    ] as const) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, name), slow, { mode: 0o755 })
    }
    writeFileSync(join(bo.path, '.git/grite/config.toml'), '[sync]\nrun_hooks = true\n[remote]\ntimeout = 2\n', {
      flag: 'a',
    })
    await bo.create('two')
    assert.equal((await bo.sync()).push_changed, true)
  })
})
