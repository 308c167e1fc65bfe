/** Refusals, damaged frames and lost connections; a part of the conformance suite of clients of the daemon. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { answers, encodeFrame, type Frame, welcome } from '../support/fake-daemon.ts'
import type { WireValue } from '../support/wire-cbor.ts'
import { assertLocal, assertLost, converse, type DaemonClient, type Outcome, type Talk } from './daemon-client-setup.ts'

const words = ['create', 'a title']

export function daemonClientFaults(client: DaemonClient): void {
  /** Runs the client; returns its outcome and the key of its request. */
  async function run(t: Parameters<typeof converse>[0], talk: Talk): Promise<{ outcome: Outcome; key: string }> {
    let key = ''
    const outcome = await converse(
      t,
      client,
      async (connection) => {
        const receiveRun = async () => {
          const frame = await connection.receiveRun()
          key = frame.key
          return frame
        }
        await talk({ ...connection, receiveRun })
      },
      { words },
    )
    return { outcome, key }
  }

  const reasons = [
    'local',
    'environment',
    'repository',
    'build',
    'version',
    'busy',
    'stopping',
    'frame',
    'of the future',
  ]
  for (const reason of reasons) {
    it(`runs grite when it is refused with '${reason}'`, async (t) => {
      const { outcome } = await run(t, async (connection) => {
        const { id } = await connection.receiveRun()
        await connection.send(welcome, answers(id).refused(reason))
        await connection.receive()
      })
      assertLocal(outcome, words, null)
    })
  }

  const beforeOutput: Readonly<Record<string, (id: number) => Buffer>> = {
    'without a hello': (id) => frames(answers(id).accepted),
    'with a hello of another version': (id) => frames([128, 2, '', [], 1], answers(id).accepted),
    'with a second hello': () => frames(welcome, welcome),
    'with garbage': () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'with a frame that is too long': () => Buffer.concat([frames(welcome), Buffer.from([1, 0, 0, 1, 0x83])]),
    'with an empty frame': () => Buffer.concat([frames(welcome), Buffer.alloc(4)]),
    'with a frame that is not an array': () => Buffer.concat([frames(welcome), framed([0x18, 129])]),
    'with a frame that is cut off': (id) => Buffer.concat([frames(welcome), framed([0x83, 0x18, 131, id])]),
    'with bytes after the item': (id) => Buffer.concat([frames(welcome), framed([0x82, 0x18, 129, id, 0])]),
    'with an indefinite length': (id) => Buffer.concat([frames(welcome), framed([0x9f, 0x18, 129, id, 0xff])]),
    'with a head that is too long': (id) => Buffer.concat([frames(welcome), framed([0x82, 0x18, 129, 0x18, id])]),
    'with a tag': (id) => Buffer.concat([frames(welcome), framed([0x82, 0x18, 129, 0xc1, id])]),
    'with too many levels': (id) =>
      Buffer.concat([frames(welcome), framed([0x83, 0x18, 129, id, ...Array<number>(16).fill(0x81), 0])]),
    'with an unknown kind': (id) => frames(welcome, [150, id]),
    'with a kind above 255': (id) => frames(welcome, [256, id]),
    'with the answer of another request': (id) => frames(welcome, answers(id + 1).accepted),
    'with output before accepted': (id) => frames(welcome, answers(id).stdout('x')),
    'with accepted twice': (id) => frames(welcome, answers(id).accepted, answers(id).accepted),
    'with refused after accepted': (id) => frames(welcome, answers(id).accepted, answers(id).refused('busy')),
    'with output that is a text': (id) => frames(welcome, answers(id).accepted, [131, id, 'text']),
    'with output that is missing': (id) => frames(welcome, answers(id).accepted, [131, id]),
    'with a status above 255': (id) => frames(welcome, answers(id).accepted, [134, id, 256]),
    'with a negative status': (id) => frames(welcome, answers(id).accepted, [134, id, -1]),
    'with a failure': (id) => frames(welcome, answers(id).accepted, [136, id, '{}']),
    'with the answer of a call': (id) => frames(welcome, answers(id).accepted, [135, id, null]),
  }
  for (const [name, answer] of Object.entries(beforeOutput)) {
    it(`runs grite with the key when it is answered ${name}`, async (t) => {
      const { outcome, key } = await run(t, async (connection) => {
        const { id } = await connection.receiveRun()
        await connection.sendBytes(answer(id))
        assert.equal(await connection.receive(), null, 'the client closes the connection')
      })
      assertLocal(outcome, words, key)
    })
  }

  it('reports a bad frame after the output', async (t) => {
    const { outcome } = await run(t, async (connection) => {
      const { id } = await connection.receiveRun()
      const { accepted, stdout } = answers(id)
      await connection.send(welcome, accepted, stdout('a part\n'), [150, id])
      assert.equal(await connection.receive(), null)
    })
    assertLost(outcome, 'a part\n')
  })

  it('ignores kinds from 192 on, and elements that it does not know', async (t) => {
    const extra: WireValue = new Map<string, WireValue>([['a', [1, -1, 1.5, true, null, new Uint8Array(3)]]])
    const { outcome } = await run(t, async (connection) => {
      const { id } = await connection.receiveRun()
      const ignored: Frame[] = [
        [192, id, 'EventApplied', extra],
        [255, id],
        [200, 77, nested(15)],
      ]
      const { accepted, stdout, exit } = answers(id)
      const known = [welcome, accepted, stdout('all '), stdout('of it'), exit(5)]
      await connection.send(...known.flatMap((frame) => [...ignored, [...frame, extra, 'x']]).slice(ignored.length))
    })
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [5, 'all of it', ''])
  })

  it('takes an answer that comes byte by byte', async (t) => {
    const { outcome } = await run(t, async (connection) => {
      const { id } = await connection.receiveRun()
      const { accepted, stdout, stderr, exit } = answers(id)
      await connection.send(welcome, accepted)
      for (const byte of frames(stdout('out'), stderr('err'), exit(6))) {
        await connection.sendBytes(Buffer.from([byte]))
        await sleep(1)
      }
    })
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [6, 'out', 'err'])
  })

  const script = (id: number): readonly Frame[] => {
    const { accepted, stdout, stderr, exit } = answers(id)
    return [welcome, accepted, stdout('first '), stderr('second '), stdout('third '), exit(0)]
  }
  for (const ending of ['ends', 'breaks'] as const) {
    it(`recovers when the connection ${ending} at or inside any frame`, async (t) => {
      for (let whole = 0; whole < 6; whole++) {
        for (const inside of [0, 0.5, 0.99]) {
          const { outcome, key } = await run(t, async (connection) => {
            const { id } = await connection.receiveRun()
            const [before, next] = [script(id).slice(0, whole), frames(...script(id).slice(whole, whole + 1))]
            await connection.sendBytes(Buffer.concat([frames(...before), next.subarray(0, next.length * inside)]))
            // Otherwise the end of the conversation destroys the connection.
            if (ending === 'ends') connection.end()
            if (ending === 'ends') await connection.receive()
          })
          if (whole < 3) assertLocal(outcome, words, key)
          else assertLost({ ...outcome, stderr: outcome.stderr.replace(/^second /, '') }, firstParts(whole))
        }
      }
    })
  }

  it('recovers when the connection breaks before the request is read', async (t) => {
    const { outcome } = await run(t, async () => undefined)
    assert.deepEqual([outcome.local?.words, outcome.status], [words, 17])
    assert.match(outcome.local?.request ?? '', /^\d{13}-[0-9a-f]{32}$/)
  })

  for (const [name, frame] of [
    ['hello', null],
    ['accepted', welcome],
  ] as const) {
    it(`runs grite with the key when ${name} takes more than 500 ms`, async (t) => {
      const { outcome, key } = await run(t, async (connection) => {
        await connection.receiveRun()
        if (frame !== null) await connection.send(frame)
        assert.equal(await connection.receive(), null)
      })
      assertLocal(outcome, words, key)
    })
  }

  it('waits for output as long as it takes once accepted', async (t) => {
    const { outcome } = await run(t, async (connection) => {
      const { id } = await connection.receiveRun()
      const { accepted, stdout, exit } = answers(id)
      await connection.send(welcome, accepted)
      await sleep(900)
      await connection.send(stdout('late\n'))
      await sleep(300)
      await connection.send(exit(0))
    })
    assert.deepEqual([outcome.status, outcome.stdout], [0, 'late\n'])
  })

  it('runs grite with the key when the daemon does not read', async (t) => {
    const large = ['create', ...Array.from({ length: 20 }, () => 'x'.repeat(100_000))]
    const outcome = await converse(t, client, unread, { words: large })
    assert.deepEqual([outcome.local?.words, outcome.status], [large, 17])
    assert.match(outcome.local?.request ?? '', /^\d{13}-[0-9a-f]{32}$/)
  })

  it('says with --json in JSON that the daemon was lost', async (t) => {
    const outcome = await converse(
      t,
      client,
      async (connection) => {
        const { id } = await connection.receiveRun()
        await connection.send(welcome, answers(id).accepted, answers(id).stdout('{'))
      },
      { words: ['list', '--json'] },
    )
    assert.equal(outcome.status, 6)
    const { schema_version, ok, error } = JSON.parse(outcome.stderr)
    assert.deepEqual([schema_version, ok, error.code, typeof error.details], [1, false, 'ipc_error', 'object'])
    assert.match(error.message, /daemon ended before the answer was complete/)
  })
}

const frames = (...list: readonly Frame[]) => Buffer.concat(list.map(encodeFrame))

function framed(content: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from([0, 0, content.length >> 8, content.length & 255]), Buffer.from(content)])
}

const nested = (depth: number): WireValue => (depth === 0 ? 1 : [nested(depth - 1)])

/** Standard output after so many whole frames of the script. */
function firstParts(whole: number): string {
  return whole >= 5 ? 'first third ' : 'first '
}

/** Reads nothing for longer than the client waits. */
const unread: Talk = async (connection) => {
  connection.pause()
  await sleep(1500)
}
