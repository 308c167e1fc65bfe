/** Memory after many requests, and what a daemon does that nobody asks. SOAK_REQUESTS and SOAK_IDLE_SECONDS shorten them. Linux only. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDaemonSandbox, type DaemonSandbox } from '../daemon/daemon-process.ts'
import { LoadClient } from '../support/daemon-load.ts'

const skip = process.platform === 'linux' ? false : 'there is no /proc'
const requests = Number(process.env.SOAK_REQUESTS ?? 100_000)
const idleSeconds = Number(process.env.SOAK_IDLE_SECONDS ?? 600)

/**
 * What the requests after the first 1,000 may add: the heap grows to its usual size within 10,000, and a leak of 1 KiB a request is
 * more. Bytes.
 */
const growthBytesMax = 90 * 1024 * 1024
/** A thousandth of a processor: a look at two files every five seconds. Ticks are hundredths of a second. */
const idleTicksPerSecondMax = 0.1

test('memory after 100,000 requests is what it was after 1,000', { skip, timeout: 60 * 60_000 }, async (t) => {
  const place = createDaemonSandbox(t)
  place.startDaemon()
  const clients = await Promise.all(Array.from({ length: 8 }, () => LoadClient.open(place)))
  const [first] = clients as [LoadClient]
  const ids: string[] = []
  for (let index = 0; index < 200; index++) {
    ids.push((await first.data('issue', 'create', `--title=Issue ${index}`)).issue_id)
  }
  const ask = async (count: number) => {
    const work = clients.map(async (client, name) => {
      for (let turn = 0; turn < count / clients.length; turn++) {
        const id = ids[(turn + name) % ids.length] as string
        // Few writes, so that the log does not grow.
        if (turn % 200 === 0) await client.data('issue', turn % 400 === 0 ? 'close' : 'reopen', id)
        else if (turn % 3 === 0) await client.data('list', '--limit=20')
        else await client.data('show', id)
      }
    })
    await Promise.all(work)
  }
  await ask(1_000)
  const early = await settledRss(place)
  await ask(requests - 1_000)
  const late = await settledRss(place)
  t.diagnostic(`from ${early} to ${late} bytes`)
  assert.ok(late - early < growthBytesMax, `from ${early} to ${late} bytes`)
  for (const client of clients) client.close()
})

/** The smallest of a few seconds: the collector of garbage takes its time. */
async function settledRss(place: DaemonSandbox): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 10; round++) {
    await sleep(500)
    least = Math.min(least, (await place.status()).rss_bytes as number)
  }
  return least
}

test('a daemon that nobody asks uses no processor time', { skip, timeout: 60 * 60_000 }, async (t) => {
  const place = createDaemonSandbox(t)
  place.data('daemon', 'start', '--idle-timeout=0')
  place.create('One')
  place.data('list')
  const { pid } = await place.started()
  await sleep(5_000)
  const before = ticksOf(pid)
  await sleep(idleSeconds * 1_000)
  const ticks = ticksOf(pid) - before
  t.diagnostic(`${ticks} ticks in ${idleSeconds} s`)
  assert.ok(ticks <= idleTicksPerSecondMax * idleSeconds, `${ticks} ticks in ${idleSeconds} s`)
})

/** User and system time of a process, proc(5). */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\)\s*/s, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}
