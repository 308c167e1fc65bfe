/**
 * Ten minutes of commands, through the launcher and the Node client, of which some are killed, with a daemon that is killed every
 * second or two. SOAK_SECONDS and SOAK_SEED set length and course; the seed does not fix the timing of processes. Linux only.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { mulberry32 } from '../../bench/mulberry32.ts'
import { gritePath } from '../contract/grite-process.ts'
import { createDaemonSandbox } from '../daemon/daemon-process.ts'
import { daemonsBelow } from '../daemon/end-daemons.ts'

const skip = process.platform === 'linux' ? false : 'there is no /proc'
const seconds = Number(process.env.SOAK_SECONDS ?? 600)
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 0x7fff_ffff)
const launcher = fileURLToPath(new URL('../../dist/grite-fast', import.meta.url))

const clientCount = 4
/** Time between two kills of the daemon. Milliseconds. */
const livesMs = [100, 2_000] as const
/** The client falls back at once, but other processes take processors: so long, or so many starts of a bare Node. */
const nextMsMax = 5_000
const nextStartsMax = 50
/** Of so many commands one is killed, within this time. */
const killedOneIn = 10
const clientLivesMsMax = 60
const ipcStatus = 6

/** What the log must hold: acknowledged texts once, those of killed clients and lost answers at most once. */
interface Ledger {
  readonly acknowledged: Set<string>
  readonly doubtful: Set<string>
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

test(`${seconds} s of killed daemons and clients lose and double nothing`, {
  skip,
  timeout: (seconds + 300) * 1000,
}, async (t) => {
  t.diagnostic(`seed ${seed}`)
  const place = createDaemonSandbox(t)
  const base = place.create('Base')
  const endMs = performance.now() + seconds * 1000
  const issues: Ledger = { acknowledged: new Set(['Base']), doubtful: new Set() }
  const comments: Ledger = { acknowledged: new Set(), doubtful: new Set() }
  const counts = { commands: 0, kills: 0, lost: 0, killedClients: 0, slowestNextMs: 0 }
  const programs = existsSync(launcher) ? [[launcher], [process.execPath, gritePath]] : [[process.execPath, gritePath]]

  function start(program: readonly string[], words: readonly string[]) {
    const [file, ...before] = program as [string, ...string[]]
    const child = spawn(file, [...before, ...words], {
      cwd: place.path,
      env: place.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (part: string) => {
        texts[name] += part
      })
    }
    const ended = once(child, 'close').then(([status]): Ended => ({ status: status as number | null, ...texts }))
    return { child, ended }
  }

  /** Runs a command, which may be killed, and notes what it leaves. */
  async function act(
    random: () => number,
    words: readonly string[],
    text: string,
    ledger: Ledger | undefined,
  ): Promise<void> {
    counts.commands += 1
    const { child, ended } = start(programs[Math.floor(random() * programs.length)] as readonly string[], words)
    const isKilled = random() * killedOneIn < 1
    if (isKilled) {
      counts.killedClients += 1
      await Promise.race([sleep(random() * clientLivesMsMax), ended])
      child.kill('SIGKILL')
    }
    const { status, stdout, stderr } = await ended
    // A part of the answer had come when the daemon was killed.
    const isLost = status === ipcStatus && stdout !== ''
    if (isLost) counts.lost += 1
    if (!isKilled && !isLost) assert.deepEqual([status, stderr], [0, ''], words.join(' '))
    if (status === 0) ledger?.acknowledged.add(text)
    else ledger?.doubtful.add(text)
  }

  async function runClient(name: number): Promise<void> {
    const random = mulberry32(seed + name)
    for (let turn = 0; performance.now() < endMs; turn++) {
      const text = `client ${name} turn ${turn}`
      const kind = random()
      if (kind < 0.3) await act(random, ['issue', 'create', `--title=${text}`, '--json'], text, issues)
      else if (kind < 0.5) await act(random, ['comment', base, `--body=${text}`, '--json'], text, comments)
      else if (kind < 0.75) await act(random, ['list', '--json'], text, undefined)
      else await act(random, ['show', base, '--json'], text, undefined)
    }
  }

  async function killDaemons(): Promise<void> {
    const random = mulberry32(seed)
    const [shortest, longest] = livesMs
    while (performance.now() < endMs) {
      await sleep(shortest + random() * (longest - shortest))
      for (const pid of daemonsBelow(place.dir)) {
        process.kill(pid, 'SIGKILL')
        counts.kills += 1
      }
      const bareMs = await bareStartMs()
      const beforeMs = performance.now()
      const next = await start([process.execPath, gritePath], ['list', '--limit=1', '--json']).ended
      assert.deepEqual([next.status, next.stderr], [0, ''], 'the next command')
      const nextMs = performance.now() - beforeMs
      counts.slowestNextMs = Math.max(counts.slowestNextMs, Math.round(nextMs))
      const allowedMs = Math.max(nextMsMax, nextStartsMax * Math.max(bareMs, await bareStartMs()))
      assert.ok(nextMs < allowedMs, `the next command took ${nextMs} ms; ${allowedMs} are allowed`)
      const started = await start([process.execPath, gritePath], ['daemon', 'start', '--json']).ended
      assert.deepEqual([started.status, started.stderr], [0, ''], 'daemon start')
    }
  }

  await Promise.all([killDaemons(), ...Array.from({ length: clientCount }, (_, index) => runClient(index + 1))])
  t.diagnostic(JSON.stringify(counts))
  assert.ok(counts.kills > seconds / 10, `${counts.kills} kills`)

  const here = { env: { GRITE_NO_DAEMON: '1' } }
  const listed = place.griteWith(here, 'list', '--state=all', '--limit=1000000', '--json').stdout
  assertHolds(
    issues,
    JSON.parse(listed).data.issues.map(({ title }: { readonly title: string }) => title),
  )
  const shown = JSON.parse(place.griteWith(here, 'show', base, '--json').stdout).data.events
  const bodies = shown.flatMap(({ kind }: { readonly kind: { readonly CommentAdded?: { readonly body: string } } }) =>
    kind.CommentAdded === undefined ? [] : [kind.CommentAdded.body],
  )
  assertHolds(comments, bodies)
  assert.equal(place.griteWith(here, 'rebuild').status, 0)
  assert.equal(place.griteWith(here, 'list', '--state=all', '--limit=1000000', '--json').stdout, listed)
  assert.equal(place.git(place.path, 'fsck', '--strict', '--no-dangling'), '')
})

/** How long Node takes to start, which tells how busy the machine is. */
async function bareStartMs(): Promise<number> {
  const startMs = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'close')
  return performance.now() - startMs
}

function assertHolds({ acknowledged, doubtful }: Ledger, found: readonly string[]): void {
  assert.equal(new Set(found).size, found.length, 'a write was doubled')
  const present = new Set(found)
  assert.deepEqual(
    [...acknowledged].filter((text) => !present.has(text)),
    [],
    'acknowledged and not there',
  )
  assert.deepEqual(
    found.filter((text) => !acknowledged.has(text) && !doubtful.has(text)),
    [],
    'there and never written',
  )
}
