/** Memory after many requests, and what a daemon does that nobody asks. SOAK_REQUESTS and SOAK_IDLE_SECONDS shorten them. Linux only. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDaemonSandbox } from '../daemon/daemon-process.ts'
import { LoadClient } from '../support/daemon-load.ts'

const skip = process.platform === 'linux' ? false : 'there is no /proc'
const requests = Number(process.env.SOAK_REQUESTS ?? 100_000)
const idleSeconds = Number(process.env.SOAK_IDLE_SECONDS ?? 600)

/** What the first fifth of the requests may add to the memory at rest: the C library keeps pieces of its heap. Bytes. */
const warmBytesMax = 32 * 1024 * 1024
/** What all later ones may add: a leak of 500 bytes a request is more. Bytes. */
const growthBytesMax = 40 * 1024 * 1024
/** After this time without a request a daemon has given back what it does not need. Milliseconds. */
const restMs = 12_000
/** A thousandth of a processor: a look at two files every five seconds. Ticks are hundredths of a second. */
const idleTicksPerSecondMax = 0.1

test('memory at rest stays what it was in 100,000 requests', { skip, timeout: 60 * 60_000 }, async (t) => {
  const place = createDaemonSandbox(t)
  const { pid } = place.startDaemon()
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
  const warm = requests / 5
  await ask(1_000)
  const early = await rssAtRest(pid)
  await ask(warm - 1_000)
  const middle = await rssAtRest(pid)
  await ask(requests - warm)
  const late = await rssAtRest(pid)
  t.diagnostic(`${early} bytes after 1,000 requests, ${middle} after ${warm}, ${late} after ${requests}`)
  assert.ok(middle - early < warmBytesMax, `from ${early} to ${middle} bytes`)
  assert.ok(late - middle < growthBytesMax, `from ${middle} to ${late} bytes`)
  for (const client of clients) client.close()
})

/** Resident memory of a process that has rested, from proc(5): asking the daemon would wake it. */
async function rssAtRest(pid: number): Promise<number> {
  await sleep(restMs)
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

test('a daemon that nobody asks uses no processor time', { skip, timeout: 60 * 60_000 }, async (t) => {
  const place = createDaemonSandbox(t)
  place.data('daemon', 'start', '--idle-timeout=0')
  place.create('One')
  place.data('list')
  const { pid } = await place.started()
  await sleep(restMs)
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
