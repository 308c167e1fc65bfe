/** Each command with and without a daemon, on two copies of one repository, with the same clock and randomness. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { createInterrupts } from '../../src/cli/interrupts.ts'
import { main } from '../../src/cli/main.ts'
import type { ProcessFacts, TextSink } from '../../src/cli/process-facts.ts'
import { runServedLine } from '../../src/cli/served-line.ts'
import { type Daemon, startDaemon } from '../../src/daemon/index.ts'
import { ask, type Frame, tell } from '../../src/ipc/index.ts'
import { makeFolder } from '../../src/tracker/local/write-file-atomically.ts'
import { openSharedRepository } from '../../src/tracker/shared-repository.ts'
import { optionsFor } from '../daemon/fake-daemon.ts'
import { finalKinds, WireClient } from '../daemon/wire-client.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'

interface Line {
  readonly words: readonly string[]
  readonly stdin?: string
  /** The name under which later lines know the id that this one prints. */
  readonly as?: string
}

interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const startUnixMs = Date.UTC(2026, 3, 5, 12)

/** Every line is also run with --json, before. `$name` is an id from an earlier line, `#name` that of its event. */
const lines: readonly Line[] = [
  { words: ['init'] },
  { words: ['install-skill'] },
  { words: ['actor', 'init', '--label=ci', '--generate-key'] },
  { words: ['actor', 'list'] },
  { words: ['actor', 'current'] },
  { words: ['issue', 'create', '--title=Epic', '--type=epic'], as: 'epic' },
  {
    words: [
      'issue',
      'create',
      '--title=Crash ä\u001b[31m',
      '--body=text',
      '--label=bug',
      '--assignee=ann',
      '--parent=$epic',
    ],
    as: 'crash',
  },
  { words: ['actor', 'rotate-key'] },
  { words: ['actor', 'show', '$actor'] },
  { words: ['actor', 'use', '$actor'] },
  { words: ['issue', 'update', '$crash', '--title=Crash on start', '--priority=1'] },
  { words: ['issue', 'comment', '$crash', '--body=Seen too'], as: 'comment' },
  { words: ['issue', 'comment', '$crash', '--body-file=-'], stdin: 'from standard input\n' },
  { words: ['issue', 'comment', 'edit', '#comment', '--body=Seen here'] },
  { words: ['issue', 'comment', 'hide', '#comment'] },
  { words: ['issue', 'comment', 'unhide', '#comment'] },
  { words: ['issue', 'label', 'add', '$crash', '--label=ui'] },
  { words: ['issue', 'label', 'remove', '$crash', '--label=ui'] },
  { words: ['issue', 'assignee', 'add', '$crash', '--user=bo'] },
  { words: ['issue', 'assignee', 'remove', '$crash', '--user=bo'] },
  { words: ['issue', 'link', 'add', '$crash', '--url=https://example.org', '--note=same'] },
  { words: ['issue', 'attachment', 'add', '$crash', '--file=crash.log'] },
  { words: ['issue', 'attachment', 'list', '$crash'] },
  { words: ['issue', 'attachment', 'get', '$crash', 'crash.log', '--output=out.log'] },
  { words: ['issue', 'dep', 'add', '$epic', '--target=$crash'] },
  { words: ['issue', 'dep', 'list', '$crash', '--reverse'] },
  { words: ['issue', 'dep', 'topo', '--state=open'] },
  { words: ['issue', 'dep', 'graph', '--parents'] },
  { words: ['blocked'] },
  { words: ['board'] },
  { words: ['ready'] },
  { words: ['issue', 'dep', 'remove', '$epic', '--target=$crash'] },
  { words: ['issue', 'show', '$epic'] },
  { words: ['issue', 'show', '$crash'] },
  { words: ['issue', 'edit', '$crash'] },
  { words: ['issue', 'claim', '$crash'] },
  { words: ['lock', 'status'] },
  { words: ['issue', 'unclaim', '$crash'] },
  { words: ['lock', 'acquire', '--resource=path:src', '--ttl=15m'] },
  { words: ['lock', 'renew', 'path:src', '--ttl=60'] },
  { words: ['lock', 'release', 'path:src'] },
  { words: ['lock', 'gc'] },
  { words: ['issue', 'close', '$crash', '--comment=done'] },
  { words: ['changelog', '--since=2020-01-01'] },
  { words: ['issue', 'reopen', '$crash'] },
  { words: ['config', 'set', 'lock_policy', 'require'] },
  { words: ['config', 'get', 'lock_policy'] },
  { words: ['config', 'list'] },
  { words: ['config', 'unset', 'lock_policy'] },
  { words: ['undo'] },
  { words: ['redo'] },
  { words: ['issue', 'history', '$crash'] },
  { words: ['batch'], stdin: '{"op":"create","title":"A","as":"a"}\n{"op":"comment","issue":"@a","body":"b"}\n' },
  { words: ['batch'], stdin: '{"op":"close","issue":"ffffffff"}\n' },
  { words: ['import', 'tracker.jsonl'] },
  { words: ['issue', 'list'] },
  { words: ['issue', 'list', '--state=all', '--limit=2', '--sort=created'] },
  { words: ['search', 'label:bug', 'crash'] },
  { words: ['query', 'save', 'bugs', 'label:bug'] },
  { words: ['query', 'list'] },
  { words: ['query', 'run', 'bugs'] },
  { words: ['query', 'remove', 'bugs'] },
  { words: ['context', 'set', 'build', 'make'] },
  { words: ['context', 'project'] },
  { words: ['context', 'unset', 'build'] },
  { words: ['context', 'index'] },
  { words: ['context', 'query', 'parse'] },
  { words: ['context', 'show', 'parser.ts'] },
  { words: ['context', 'stale'] },
  { words: ['remember', 'Port 8080 is taken'] },
  { words: ['recall', 'port'] },
  { words: ['forget', 'port-8080-is-taken'] },
  { words: ['prime'] },
  { words: ['export', '--format=csv'] },
  { words: ['export', '--format=md'] },
  { words: ['snapshot', 'create'] },
  { words: ['snapshot', 'list'] },
  { words: ['snapshot', 'gc'] },
  { words: ['db', 'stats'] },
  { words: ['db', 'check'] },
  { words: ['db', 'verify'] },
  { words: ['doctor'] },
  { words: ['rebuild'] },
  { words: ['watch', '--count=0', '--timeout=50ms'] },
  { words: ['sync', '--remote=../origin.git'] },
  { words: ['mcp'] },
  { words: ['completion', 'bash'] },
  { words: ['schema', 'list'] },
  { words: ['schema', 'show', 'issue create'] },
  { words: ['help', 'issue', 'list'] },
  { words: ['help'] },
  { words: ['--version'] },
  { words: ['issue', 'show', 'ffffffff'] },
  { words: ['issue', 'list', '--nothing'] },
  { words: ['nothing'] },
  { words: ['issue', 'create', '--title='] },
]

/** Commands that are about a daemon, and those whose ids each process draws for itself: twins-streams.test.ts runs them. */
const notCompared = /^(?:daemon |stream |produce$|consume$)/

let nowUnixMs = startUnixMs
let seed = 0

/** Both sides draw the same bytes for a line. */
function randomOf(line: number): (count: number) => Uint8Array {
  let block = 0
  return (count) => {
    const parts: Buffer[] = []
    for (let length = 0; length < count; length += 32)
      parts.push(createHash('sha256').update(`${line} ${block++}`).digest())
    return Buffer.concat(parts).subarray(0, count)
  }
}

const cleanUp = lastFirst({ after })
const sandbox = createSandbox(cleanUp)
const [here, there] = [join(sandbox.dir, 'here/repository'), join(sandbox.dir, 'with/repository')]
const environment = { ...sandbox.environment, GRITE_NO_DAEMON: '' }
let daemon: Daemon
let client: WireClient
let drawServed = randomOf(0)

before(async () => {
  mkdirSync(here, { recursive: true })
  sandbox.git(here, 'init', '-q', '-b', 'main', '--template=')
  sandbox.git(join(here, '..'), 'init', '-q', '--bare', 'origin.git')
  writeFileSync(join(here, 'crash.log'), 'trace\n')
  const issue = '"title":"Old","status":"open","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"'
  writeFileSync(join(here, 'tracker.jsonl'), `{"id":"bd-1",${issue}}\n{"id":"bd-2",${issue}}\n{"id":\n`)
  cpSync(join(sandbox.dir, 'here'), join(sandbox.dir, 'with'), { recursive: true })
  const shared = await openSharedRepository(there, { env: environment, warn: () => {}, viewIdleMs: 3_600_000 })
  await makeFolder(shared.paths.home, shared.paths.permissions)
  const started = await startDaemon({
    ...optionsFor(shared),
    env: environment,
    runLine: runServedLine,
    clock: { nowUnixMs: () => nowUnixMs },
    random: { bytes: (count) => drawServed(count) },
  })
  assert.ok('ended' in started)
  daemon = started
  cleanUp.after(async () => {
    daemon.stop('the test is over')
    await daemon.ended
  })
  client = await WireClient.greet(daemon.socket)
  cleanUp.after(() => client.close())
})

async function runHere(
  cwd: string,
  words: readonly string[],
  stdin: string,
  env: Record<string, string>,
): Promise<Outcome> {
  const interrupts = createInterrupts()
  const output = { stdout: '', stderr: '' }
  const sink = (stream: 'stdout' | 'stderr'): TextSink => ({
    isTerminal: false,
    columns: () => undefined,
    rows: () => undefined,
    async write(text) {
      output[stream] += text
    },
    async writeBytes(bytes) {
      output[stream] += Buffer.from(bytes).toString('utf8')
    },
    onUnread: () => () => {},
  })
  const facts: ProcessFacts = {
    cwd: () => cwd,
    env,
    rawArguments: () => null,
    rawVariable: () => null,
    stdin: {
      isTerminal: false,
      async *chunks() {
        yield Buffer.from(stdin)
      },
    },
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    nowUnixMs: () => nowUnixMs,
    randomBytes: randomOf(seed),
    onInterrupt: interrupts.onInterrupt,
    isInterrupted: () => interrupts.running,
    leaveInterrupts: interrupts.leave,
  }
  const status = await main(words, facts)
  return { status, ...output }
}

let served = 0

/** As a client does it: through the daemon, and by itself when the daemon leaves it the line. */
async function runServed(words: readonly string[], stdin: string, env: Record<string, string>): Promise<Outcome> {
  drawServed = randomOf(seed)
  client.run(1, { key: env.GRITE_REQUEST as string, argv: words, cwd: there, env })
  const parts = stdin === '' ? [] : [Buffer.from(stdin)]
  let end = await client.nextOf([tell.wantStdin, ...finalKinds], 1)
  for (; end[0] === tell.wantStdin; end = await client.nextOf([tell.wantStdin, ...finalKinds], 1)) {
    client.send(ask.stdin, 1, parts.shift() ?? Buffer.alloc(0))
  }
  const [kind, , status] = end
  const frames = client.frames.splice(0)
  if (kind === tell.refused) return runHere(there, words, stdin, env)
  served += 1
  const textOf = (stream: number) =>
    Buffer.concat(frames.filter(([of]) => of === stream).map(([, , part]: Frame) => part as Uint8Array)).toString()
  return { status: status as number, stdout: textOf(tell.stdout), stderr: textOf(tell.stderr) }
}

/** Size and age of the view depend on when it was opened; the log does not. */
const ofTheView =
  /(?<="(?:size_bytes|view_bytes|events_since_rebuild)":)\d+|\d+(?= events since)|(?<=View: +)[\d.]+ \w+/g

/** The outcome as if it were from the place without a daemon. */
function placed({ status, stdout, stderr }: Outcome): Outcome {
  const place = (text: string) =>
    text.replaceAll(join(sandbox.dir, 'with'), join(sandbox.dir, 'here')).replace(ofTheView, 'N')
  return { status, stdout: place(stdout), stderr: place(stderr) }
}

/** Refs and the ids of all objects. The refs of a remote are named after its path. */
function stateOf(path: string): string {
  const refs = sandbox.git(path, 'for-each-ref').replaceAll(/refs\/grite-remotes\/\w+/g, 'refs/grite-remotes/R')
  return `${refs}\n${sandbox.git(path, 'cat-file', '--batch-all-objects', '--batch-check')}`
}

const ids = new Map<string, string>()

function fill(word: string): string {
  return word.replace(/[$#][a-z]+/g, (name) => ids.get(name) ?? assert.fail(`${name} is not known`))
}

for (const [index, { words, stdin = '', as }] of lines.entries()) {
  test(`grite ${words.join(' ').replaceAll('\u001b', '')} is the same with and without a daemon`, async () => {
    for (const more of [['--json'], []]) {
      seed = 2 * index + more.length
      nowUnixMs = startUnixMs + seed * 60_000
      const key = `${nowUnixMs}-${createHash('sha256').update(`${seed}`).digest('hex').slice(0, 32)}`
      const line = [...words.map(fill), ...more]
      const env = { ...environment, GRITE_REQUEST: key }
      const local = await runHere(here, line, stdin, env)
      const remote = await runServed(line, stdin, env)
      assert.deepEqual(placed(remote), placed(local))
      if (more.length > 0 && local.status === 0) learn(as, local.stdout)
    }
    assert.equal(stateOf(there), stateOf(here))
  })
}

function learn(as: string | undefined, stdout: string): void {
  if (!stdout.startsWith('{')) return
  const { data } = JSON.parse(stdout)
  if (data?.actor_id !== undefined && data.public_key !== undefined) ids.set('$actor', data.actor_id)
  if (as === undefined) return
  ids.set(`$${as}`, data.issue_id)
  ids.set(`#${as}`, data.event_id)
}

test('every command is compared, and most are served', () => {
  const names = commandLineCommands.map(({ name }) => name).filter((name) => !notCompared.test(name))
  const compared = (name: string) => lines.some(({ words }) => `${words.join(' ')} `.startsWith(`${name} `))
  assert.deepEqual(
    names.filter((name) => !compared(name)),
    [],
  )
  assert.ok(served > lines.length, `${served} lines were served`)
})
