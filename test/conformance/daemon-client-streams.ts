/** What a client of the daemon does with its standard streams and with signals; a part of the conformance suite. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { answers, type FakeConnection, startFakeDaemon, welcome } from '../support/fake-daemon.ts'
import { assertLost, converse, createPlace, type DaemonClient, runClient, type Talk } from './daemon-client-setup.ts'

export function daemonClientStreams(client: DaemonClient): void {
  it('sends standard input in parts as it is asked', async (t) => {
    const parts: Buffer[] = []
    const { status } = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        parts.length = 0
        for (;;) {
          await connection.send(answer.wantStdin)
          const bytes = await receivePart(connection)
          if (bytes.length === 0) break
          parts.push(Buffer.from(bytes))
        }
        await connection.send(answer.wantStdin)
        assert.equal((await receivePart(connection)).length, 0, 'the end is told again')
        await connection.send(answer.exit(3))
      },
      {
        stdin: 'pipe',
        drive: async (child) => {
          child.stdin?.write('first ')
          await sleep(100)
          child.stdin?.end('second')
        },
      },
    )
    assert.deepEqual([status, Buffer.concat(parts).toString()], [3, 'first second'])
  })

  it('sends large standard input in parts of at most 1 MiB', async (t) => {
    const content = Buffer.alloc(3_000_001, 'stdin')
    let hash = createHash('sha256')
    const talk: Talk = async (connection) => {
      const answer = await accept(connection)
      hash = createHash('sha256')
      for (let length = -1; length !== 0; ) {
        await connection.send(answer.wantStdin)
        const bytes = await receivePart(connection)
        length = bytes.length
        assert.ok(length <= 2 ** 20)
        hash.update(bytes)
      }
      await connection.send(answer.exit(0))
    }
    const { status } = await converse(t, client, talk, ({ dir }) => {
      const file = join(dir, 'input')
      writeFileSync(file, content)
      const stdin = openSync(file, 'r')
      t.after(() => closeSync(stdin))
      return { stdin }
    })
    assert.equal(status, 0)
    assert.equal(hash.digest('hex'), createHash('sha256').update(content).digest('hex'))
  })

  it('sends an ended standard input as empty', async (t) => {
    const { status } = await converse(t, client, async (connection) => {
      const answer = await accept(connection)
      await connection.send(answer.wantStdin, answer.wantStdin)
      for (let count = 0; count < 2; count++) assert.equal((await receivePart(connection)).length, 0)
      await connection.send(answer.exit(0))
    })
    assert.equal(status, 0)
  })

  it('leaves standard input to the next reader when it is not asked', async (t) => {
    const { stdout } = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        await connection.send(answer.stdout('done\n'), answer.exit(0))
      },
      {
        wrapper: ['sh', '-c', '"$@"; cat', 'sh'],
        stdin: 'pipe',
        drive: (child) => void child.stdin?.end('not read'),
      },
    )
    assert.equal(stdout, 'done\nnot read')
  })

  it('shows output and exits while it waits for standard input', async (t) => {
    const { status, stdout } = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        await connection.send(answer.wantStdin)
        await sleep(50)
        await connection.send(answer.stdout('no input needed\n'), answer.exit(4))
      },
      { stdin: 'pipe' },
    )
    assert.deepEqual([status, stdout], [4, 'no input needed\n'])
  })

  it('reports the loss of a daemon that has got standard input', async (t) => {
    const outcome = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        await connection.send(answer.wantStdin)
        assert.ok((await receivePart(connection)).length > 0)
      },
      { stdin: 'pipe', drive: (child) => void child.stdin?.end('body') },
    )
    assertLost(outcome, '')
  })

  it('runs grite with the key when standard input cannot be read', async (t) => {
    let key = ''
    const talk: Talk = async (connection) => {
      const frame = await connection.receiveRun()
      key = frame.key
      const { accepted, wantStdin } = answers(frame.id)
      await connection.send(welcome, accepted, wantStdin)
      assert.equal(await connection.receive(), null)
    }
    const { local } = await converse(t, client, talk, ({ dir }) => {
      const stdin = openSync(join(dir, 'only written'), 'w')
      t.after(() => closeSync(stdin))
      return { stdin }
    })
    assert.deepEqual([local?.request, local?.stdin], [key, 'EBADF'])
  })

  const whyNoFull = existsSync('/dev/full') ? false : 'there is no /dev/full'
  it('runs grite with the key when no output can be written', { skip: whyNoFull }, async (t) => {
    let key = ''
    const { local } = await converse(
      t,
      client,
      async (connection) => {
        const frame = await connection.receiveRun()
        key = frame.key
        const { accepted, stdout } = answers(frame.id)
        await connection.send(welcome, accepted, stdout('x'.repeat(100_000)))
        assert.equal(await connection.receive(), null)
      },
      { wrapper: ['sh', '-c', 'exec "$@" > /dev/full', 'sh'] },
    )
    assert.equal(local?.request, key)
  })

  it('gives a slow reader all of a large output', async (t) => {
    const part = Buffer.alloc(2 ** 16, 'output ')
    const count = 300
    const { status, stdout } = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        for (let sent = 0; sent < count; sent++) await connection.send(answer.stdout(part))
        await connection.send(answer.exit(0))
      },
      {
        drive: async (child) => {
          for (const at of [0, 1]) {
            await sleep(700 * at)
            child.stdout?.pause()
            await sleep(700)
            child.stdout?.resume()
          }
        },
      },
    )
    assert.equal(status, 0)
    assert.equal(stdout.length, part.length * count)
    assert.equal(stdout, part.toString('latin1').repeat(count))
  })

  for (const [name, signal, status] of [
    ['SIGINT', 2, 130],
    ['SIGTERM', 15, 143],
    ['SIGHUP', 1, 129],
  ] as const) {
    it(`sends cancel on ${name} and writes what still comes`, async (t) => {
      const outcome = await converse(
        t,
        client,
        async (connection) => {
          const answer = await accept(connection)
          await connection.send(answer.stdout('ready\n'))
          const [kind, , number] = (await connection.receive()) ?? []
          assert.deepEqual([kind, number], [4, signal])
          await connection.send(answer.stderr('cleaned up\n'), answer.exit(0))
        },
        { drive: (child) => void child.stdout?.once('data', () => child.kill(name)) },
      )
      assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [status, 'ready\n', 'cleaned up\n'])
    })
  }

  it('waits three seconds for exit after a signal', async (t) => {
    const started: number[] = []
    const { status } = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        await connection.send(answer.stdout('ready\n'))
        await connection.receive()
        assert.equal(await connection.receive(), null)
        started.push(Date.now())
      },
      {
        drive: (child) =>
          void child.stdout?.once('data', () => {
            started.push(Date.now())
            child.kill('SIGINT')
          }),
      },
    )
    assert.equal(status, 130)
    const [from = 0, to = 0] = started.slice(-2)
    assert.ok(to - from > 2000, `${to - from} ms`)
  })

  it('ends after a signal while nobody reads its output', async (t) => {
    const { status } = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        void connection.send(answer.stdout('x'.repeat(1_000_000)))
        assert.equal((await connection.receive())?.[0], 4)
        assert.equal(await connection.receive(), null)
      },
      // A pipe that stays open at its other end.
      ({ dir }) => ({
        wrapper: ['sh', '-c', 'mkfifo "$0" && exec 3<>"$0" && exec "$@" > "$0"', join(dir, 'pipe')],
        drive: (child) => void setTimeout(() => child.kill('SIGINT'), 500),
      }),
    )
    assert.equal(status, 130)
  })

  it('exits with the signal when the daemon ends after cancel', async (t) => {
    const { status, stderr } = await converse(
      t,
      client,
      async (connection) => {
        await accept(connection)
        await connection.send([131, 1, Buffer.from('ready\n')])
        await connection.receive()
      },
      { drive: (child) => void child.stdout?.once('data', () => child.kill('SIGINT')) },
    )
    assert.deepEqual([status, stderr], [130, ''])
  })

  for (const [stream, name] of [
    [1, 'stdout'],
    [2, 'stderr'],
  ] as const) {
    it(`tells that the reader of ${name} has closed it and goes on to exit`, async (t) => {
      const { status } = await converse(
        t,
        client,
        async (connection) => {
          const answer = await accept(connection)
          const output = answer[name]('x'.repeat(10_000))
          const told = connection.receive()
          let isTold = false
          void told.then(() => {
            isTold = true
          })
          while (!isTold) {
            await connection.send(output)
            await sleep(5)
          }
          const [kind, , number] = (await told) ?? []
          assert.deepEqual([kind, number], [5, stream])
          await connection.send(output, answer.exit(9))
          assert.equal(await connection.receive(), null, 'told once')
        },
        { drive: (child) => void child[name]?.once('data', () => child[name]?.destroy()) },
      )
      assert.equal(status, 9)
    })
  }

  it('tells that the reader has closed standard output while there is nothing to write', async (t) => {
    const { stdout } = await converse(
      t,
      client,
      async (connection) => {
        const answer = await accept(connection)
        await connection.send(answer.stdout('first\n'))
        const [kind, , number] = (await connection.receive()) ?? []
        assert.deepEqual([kind, number], [5, 1])
        await connection.send(answer.exit(0))
      },
      { wrapper: ['sh', '-c', '"$@" | head -n 1', 'sh'] },
    )
    assert.equal(stdout, 'first\n')
  })

  it('takes a closed standard stream for /dev/null, or runs grite', async (t) => {
    for (const closed of ['<&-', '2>&-']) {
      const place = createPlace(t)
      await startFakeDaemon(t, place, async (connection) => {
        const answer = await accept(connection)
        await connection.send(answer.wantStdin)
        assert.equal((await receivePart(connection)).length, 0)
        await connection.send(answer.stderr('nobody reads this'), answer.stdout('done\n'), answer.exit(0))
      })
      const outcome = await runClient(client, place, { wrapper: ['sh', '-c', `exec "$@" ${closed}`, 'sh'] })
      if (outcome.local === null) assert.deepEqual([outcome.status, outcome.stdout], [0, 'done\n'])
      else assert.deepEqual([outcome.local.words, outcome.local.request], [['list'], null])
    }
  })
}

async function accept(connection: FakeConnection) {
  const answer = answers((await connection.receiveRun()).id)
  await connection.send(welcome, answer.accepted)
  return answer
}

/** Receives a part of standard input. */
async function receivePart(connection: FakeConnection): Promise<Uint8Array> {
  const [kind, , bytes, ...others] = (await connection.receive()) ?? []
  assert.deepEqual([kind, others], [3, []])
  assert.ok(bytes instanceof Uint8Array)
  return bytes
}
