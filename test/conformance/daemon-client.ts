/**
 * Judges clients that run command lines through the daemon (docs/ipc.md): where they look for it, what they send, what they do
 * with the answer, and when they run grite instead.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { answers, welcome } from '../support/fake-daemon.ts'
import { daemonClientFaults } from './daemon-client-faults.ts'
import { daemonClientAbstains, daemonClientPlaces } from './daemon-client-places.ts'
import { converse, type DaemonClient } from './daemon-client-setup.ts'
import { daemonClientStreams } from './daemon-client-streams.ts'

/** Tests of one client run side by side, since most of them wait. */
const concurrency = 2

/** @param skip - why the client cannot run here */
export function daemonClientConformance(client: DaemonClient, skip: string | false): void {
  const options = { skip, concurrency }
  describe(`${client.name} runs a command line`, options, () => runs(client))
  describe(`${client.name} finds the daemon`, options, () => daemonClientPlaces(client))
  describe(`${client.name} keeps away from the daemon`, options, () => daemonClientAbstains(client))
  describe(`${client.name} and the standard streams`, options, () => daemonClientStreams(client))
  describe(`${client.name} without a usable answer`, options, () => daemonClientFaults(client))
}

function runs(client: DaemonClient): void {
  it('sends hello and the request in one write', async (t) => {
    await converse(t, client, async (connection) => {
      const { id } = await connection.receiveRun()
      const first = connection.firstReadBytes()
      const { accepted, exit } = answers(id)
      await connection.send(welcome, accepted, exit(0))
      assert.ok(first > 100, `${first} bytes`)
    })
  })

  it('sends the words, the current directory and a key', async (t) => {
    const words = ['create', '', '--title=a b\nc', 'Grüße 漢字 😀', '--', '-x']
    const keys = new Set<string>()
    for (let count = 0; count < 2; count++) {
      const { status } = await converse(
        t,
        client,
        async (connection) => {
          const { id, key, argv, cwd, terminal } = await connection.receiveRun()
          assert.deepEqual(argv, words)
          assert.ok(cwd.endsWith('/repository') && cwd.startsWith('/'), cwd)
          assert.deepEqual(terminal, [false, false, false, 0, 0])
          assert.match(key, /^\d{13}-[0-9a-f]{32}$/)
          assert.ok(Math.abs(Number(key.slice(0, 13)) - Date.now()) < 60_000)
          keys.add(key)
          const { accepted, exit } = answers(id)
          await connection.send(welcome, accepted, exit(0))
        },
        { words },
      )
      assert.equal(status, 0)
    }
    assert.ok(keys.size >= 2)
  })

  it('sends no words for a command line without words', async (t) => {
    const { status } = await converse(
      t,
      client,
      async (connection) => {
        const { id, argv } = await connection.receiveRun()
        assert.deepEqual(argv, [])
        await connection.send(welcome, answers(id).accepted, answers(id).exit(2))
      },
      { words: [] },
    )
    assert.equal(status, 2)
  })

  it('sends only the variables that matter', async (t) => {
    const sent = {
      ...{
        HOME: '/nowhere',
        PATH: process.env.PATH ?? '',
        XDG_CONFIG_HOME: '',
        TZ: 'Europe/Paris',
        LANG: 'de_DE.UTF-8',
      },
      ...{ LANGUAGE: 'de', TERM: 'xterm', COLORTERM: 'truecolor', NO_COLOR: '1', CLICOLOR: '0', CLICOLOR_FORCE: '1' },
      ...{
        COLUMNS: '80',
        LINES: '24',
        PAGER: 'less -R',
        EDITOR: 'vi=x',
        VISUAL: 'Grüße',
        CI: 'true',
        SHELL: '/bin/sh',
      },
      ...{ TMPDIR: '/tmp', LC_ALL: 'C', LC_X: '', GRITE_ACTOR: 'ab', GRITE_NO_DAEMON: '0', GIT_AUTHOR_NAME: 'A' },
    }
    const kept = {
      USER: 'someone',
      SECRET: 'x',
      LCX: 'x',
      GITHUB_TOKEN: 'x',
      HOMEPAGE: 'x',
      PATHS: 'x',
      grite_actor: 'x',
    }
    await converse(
      t,
      client,
      async (connection) => {
        const { id, environment } = await connection.receiveRun()
        const received = Object.fromEntries([...environment].filter(([name]) => !hermetic.includes(name)))
        assert.deepEqual({ ...received, PATH: '' }, { ...sent, PATH: '' })
        await connection.send(welcome, answers(id).accepted, answers(id).exit(0))
      },
      { env: { ...sent, ...kept } },
    )
  })

  it('takes its key from GRITE_REQUEST', async (t) => {
    await converse(
      t,
      client,
      async (connection) => {
        const { id, key } = await connection.receiveRun()
        assert.equal(key, '1700000000000-00112233445566778899aabbccddeeff')
        await connection.send(welcome, answers(id).accepted, answers(id).exit(0))
      },
      { env: { GRITE_REQUEST: '1700000000000-00112233445566778899aabbccddeeff' } },
    )
  })

  it('sends large command lines', async (t) => {
    const words = Array.from({ length: 4 }, (_, index) => `${index}`.repeat(90_000))
    const { status } = await converse(
      t,
      client,
      async (connection) => {
        const { id, argv } = await connection.receiveRun()
        assert.deepEqual(argv, words)
        await connection.send(welcome, answers(id).accepted, answers(id).exit(0))
      },
      { words },
    )
    assert.equal(status, 0)
  })

  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

  it('writes both outputs unchanged and exits with the status', async (t) => {
    for (const status of [0, 1, 23, 24, 255]) {
      const outcome = await converse(t, client, async (connection) => {
        const { id } = await connection.receiveRun()
        const { accepted, stdout, stderr, exit } = answers(id)
        await connection.send(welcome, accepted, stdout('one\n'), stderr('two\n'), stdout(''), stdout(everyByte))
        await connection.send(stderr(everyByte), exit(status))
      })
      assert.deepEqual(
        [outcome.status, outcome.stdout, outcome.stderr],
        [status, `one\n${everyByte.toString('latin1')}`, `two\n${everyByte.toString('latin1')}`],
      )
    }
  })

  it('keeps the order of the outputs when they share a file', async (t) => {
    const lines = Array.from({ length: 20 }, (_, index) => `${index}\n`)
    const { stdout } = await converse(
      t,
      client,
      async (connection) => {
        const { id } = await connection.receiveRun()
        const answer = answers(id)
        await connection.send(welcome, answer.accepted)
        for (const [index, line] of lines.entries())
          await connection.send(index % 3 === 0 ? answer.stderr(line) : answer.stdout(line))
        await connection.send(answer.exit(0))
      },
      { wrapper: ['sh', '-c', 'exec "$@" 2>&1', 'sh'] },
    )
    assert.equal(stdout, lines.join(''))
  })

  it('accepts frames of 16 MiB', async (t) => {
    const head = Buffer.from([0, 0, 0, 0, 0x83, 0x18, 131, 1, 0x5a, 0, 0, 0, 0])
    const content = Buffer.alloc(2 ** 24 - (head.length - 4), 'x')
    head.writeUInt32BE(2 ** 24, 0)
    head.writeUInt32BE(content.length, 9)
    const { status, stdout } = await converse(t, client, async (connection) => {
      const { id } = await connection.receiveRun()
      head[7] = id
      await connection.send(welcome, answers(id).accepted)
      await connection.sendBytes(Buffer.concat([head, content]))
      await connection.send(answers(id).exit(0))
    })
    assert.equal(status, 0)
    assert.equal(digest(Buffer.from(stdout, 'latin1')), digest(content))
  })

  it('sends the size of the terminal', { skip: whyNoTerminal }, async (t) => {
    await converse(
      t,
      client,
      async (connection) => {
        const { id, terminal } = await connection.receiveRun()
        assert.deepEqual(terminal, [true, true, true, 100, 20])
        await connection.send(welcome, answers(id).accepted, answers(id).exit(0))
      },
      {
        wrapper: ['sh', '-c', 'script -qec "stty cols 100 rows 20; $*" /dev/null', 'sh'],
        env: { SHELL: '/bin/sh' },
        stdin: 'pipe',
      },
    )
  })
}

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { input: '' }).status === 0
const whyNoTerminal = hasScript ? false : '`script` of util-linux is missing'

/** Variables of every sandbox, beside those of the test. */
const hermetic = [
  ...['GIT_CONFIG_NOSYSTEM', 'GIT_CONFIG_GLOBAL', 'GIT_TERMINAL_PROMPT', 'GRITE_NO_MAINTENANCE', 'GIT_AUTHOR_EMAIL'],
  ...['GIT_AUTHOR_DATE', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL', 'GIT_COMMITTER_DATE', 'ASAN_OPTIONS'],
]

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
