/** Runs commands in which a file operation fails, and checks the state afterwards. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gritePath, type Json } from '../contract/grite-process.ts'
import { type CleanUp, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { createClones, type Member, memberIn } from '../sync/clones.ts'
import {
  type FaultCall,
  type FaultCounts,
  type FaultKind,
  type FaultPoint,
  faultEnvironment,
  faultPrograms,
  readCounts,
} from './fault-shim.ts'

/** Events that a command appends: this many, all or none; any part of its events; or none. */
type Writes = number | 'some' | 'none'

interface FaultCommand {
  readonly words: (facts: SetupFacts) => readonly string[]
  readonly stdin?: string
  readonly writes: Writes
  /** The part of the answer that is equal for every success. */
  readonly answer?: (data: Json, path: string) => unknown
  /** Prepares the clone so that the command has work to do. */
  readonly prepare?: (bo: Member) => Promise<unknown>
}

interface SetupFacts {
  readonly issueId: string
  readonly eventId: string
}

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const tracker = lines(
  Array.from({ length: 30 }, (_, index) => ({
    id: `bd-${index}`,
    title: `Issue ${index}`,
    status: 'open',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
  })),
)

const faultCommands = {
  create: { words: () => ['issue', 'create', '--title=more'], writes: 1 },
  comment: { words: ({ issueId }) => ['issue', 'comment', issueId, '--body=text'], writes: 1 },
  batch: {
    words: () => ['batch'],
    stdin: lines([
      { op: 'create', title: 'first', as: 'first' },
      { op: 'comment', issue: '@first', body: 'text' },
    ]),
    writes: 2,
  },
  import: { words: () => ['import', 'tracker.jsonl'], writes: 'some' },
  claim: { words: ({ issueId }) => ['issue', 'claim', issueId], writes: 1 },
  'claim --remote': { words: ({ issueId }) => ['issue', 'claim', issueId, '--remote'], writes: 'some' },
  undo: { words: ({ eventId }) => ['undo', eventId], writes: 1 },
  sync: { words: () => ['sync'], writes: 'some' },
  rebuild: { words: () => ['rebuild'], writes: 'none' },
  'rebuild --from-snapshot': { words: () => ['rebuild', '--from-snapshot'], writes: 'none' },
  'snapshot create': {
    words: () => ['snapshot', 'create'],
    writes: 'none',
    prepare: (bo) => bo.create('since the snapshot'),
  },
  'snapshot gc': {
    words: () => ['snapshot', 'gc'],
    writes: 'none',
    async prepare(bo) {
      for (let index = 0; index < 5; index++) {
        await bo.create(`snapshot ${index}`)
        await bo.run('snapshot create')
      }
    },
  },
  'create in a shared repository': {
    words: () => ['issue', 'create', '--title=more'],
    writes: 1,
    prepare: async (bo) => bo.git('config', 'core.sharedRepository', 'group'),
  },
  list: {
    words: () => ['issue', 'list'],
    writes: 'none',
    answer: (data) => data,
    prepare: async (bo) => appendForeign(bo),
  },
  'list without a view': {
    words: () => ['issue', 'list'],
    writes: 'none',
    answer: (data) => data,
    prepare: async (bo) => rmSync(join(bo.path, '.git/grite/actors'), { recursive: true }),
  },
  export: {
    words: () => ['export', '--format=json', '--output=out.json'],
    writes: 'none',
    answer: (_, path) => JSON.parse(readFileSync(join(path, 'out.json'), 'utf8')).events,
  },
  'db check': { words: () => ['db', 'check'], writes: 'none', answer: (data) => data },
  doctor: { words: () => ['doctor'], writes: 'none' },
  'actor init': { words: () => ['actor', 'init', '--label=other'], writes: 'none' },
} as const satisfies Record<string, FaultCommand>

export type FaultCommandName = keyof typeof faultCommands
export const faultCommandNames = Object.keys(faultCommands) as readonly FaultCommandName[]

/** Adds commits that the view has not applied, as a plain `git fetch` does. */
function appendForeign(bo: Member): void {
  bo.git('fetch', '-q', 'origin', 'refs/grite/wal:refs/grite/new')
  bo.git('update-ref', 'refs/grite/wal', 'refs/grite/new')
  bo.git('update-ref', '-d', 'refs/grite/new')
}

/** How each operation can fail. */
const kindsOf: Readonly<Record<FaultCall, readonly FaultKind[]>> = {
  openr: ['EIO', 'EACCES'],
  openw: ['EACCES', 'ENOSPC', 'kill'],
  read: ['EIO'],
  map: ['EIO'],
  write: ['EIO', 'ENOSPC', 'kill'],
  truncate: ['EIO', 'kill'],
  fsync: ['EIO', 'ENOSPC', 'kill'],
  rename: ['EIO', 'ENOSPC', 'kill'],
  link: ['EACCES', 'kill'],
  unlink: ['EACCES', 'kill'],
  mkdir: ['EACCES', 'ENOSPC', 'kill'],
}

export interface FaultSetup {
  /** Lists all possible faults of a command. */
  points(name: FaultCommandName): Promise<FaultPoint[]>
  /** Runs a command with a fault in a copy of the clones and checks the state afterwards. Returns its exit status or signal. */
  assertHarmless(name: FaultCommandName, point: FaultPoint): Promise<string>
}

/** The clones prepared for a command, and the result of the command without a fault. */
interface Prepared {
  readonly path: string
  readonly ids: readonly string[]
  readonly counts: FaultCounts
  readonly answer: unknown
  readonly files: readonly string[]
}

/** Maximum time of a command, also after a fault. */
const runMsMax = 30_000

export async function createFaultSetup(t: CleanUp): Promise<FaultSetup> {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  const { issue_id: issueId } = (await bo.run('issue create', { title: 'one' })) as { issue_id: string }
  const { event_id: eventId } = (await bo.run('issue label add', { issue: [issueId], label: ['bug'] })) as {
    event_id: string
  }
  for (const title of ['two', 'three']) await bo.create(title)
  await bo.sync()
  await bo.run('snapshot create')
  await ann.sync()
  writeFileSync(join(bo.path, 'tracker.jsonl'), tracker)
  const prepared = new Map<string, Promise<Prepared>>()

  function prepareOnce(name: FaultCommandName): Promise<Prepared> {
    const known = prepared.get(name) ?? prepare(name, join(setup.dir, `for-${prepared.size}`))
    prepared.set(name, known)
    return known
  }

  async function prepare(name: FaultCommandName, path: string): Promise<Prepared> {
    copySetup(setup.dir, path)
    const member = memberIn(setup, join(path, 'bo'))
    const other = memberIn(setup, join(path, 'ann'))
    await other.create('of ann')
    await other.sync()
    if (name === 'sync') await member.create('of bo')
    await (faultCommands[name] as FaultCommand).prepare?.(member)
    const ids = await member.ids()
    return inCopy(path, async (sandbox) => {
      const outcome = run(sandbox, name, null)
      assert.ok(outcome.status === 0 || name === 'doctor', `${name}: ${outcome.stderr}`)
      const answer = answerOf(name, outcome.stdout, outcome.path)
      const files = readdirSync(outcome.path)
      return { path, ids, answer, files, counts: readCounts(join(sandbox.dir, 'counts')) }
    })
  }

  function run(sandbox: Sandbox, name: FaultCommandName, point: FaultPoint | null) {
    const path = join(sandbox.dir, 'bo')
    const temporary = join(sandbox.dir, 'tmp')
    mkdirSync(temporary)
    const folders = [path, temporary, join(sandbox.dir, 'origin.git')]
    const { words, stdin = '' } = faultCommands[name] as FaultCommand
    const result = spawnSync(process.execPath, [gritePath, ...words({ issueId, eventId }), '--json'], {
      cwd: path,
      env: {
        ...sandbox.environment,
        TMPDIR: temporary,
        ...faultEnvironment(point, folders, join(sandbox.dir, 'counts')),
      },
      input: stdin,
      encoding: 'utf8',
      timeout: runMsMax,
    })
    return { ...result, path }
  }

  return {
    async points(name) {
      const { counts } = await prepareOnce(name)
      return faultPrograms.flatMap((program) =>
        Object.entries(counts[program]).flatMap(([call, count]) =>
          kindsOf[call as FaultCall].flatMap((how) =>
            Array.from({ length: count }, (_, index) => ({ program, call: call as FaultCall, nth: index + 1, how })),
          ),
        ),
      )
    },
    async assertHarmless(name, point) {
      const before = await prepareOnce(name)
      return inCopy(before.path, async (sandbox) => {
        const outcome = run(sandbox, name, point)
        const said = `${outcome.signal ?? outcome.status} ${outcome.stderr || outcome.stdout}`
        try {
          const isKilled = outcome.signal === 'SIGKILL' && point.how === 'kill' && point.program === 'node'
          if (!isKilled) assertAnswer(name, outcome, before)
          if (point.how === 'kill') removeLocks(join(sandbox.dir, 'origin.git'))
          await assertSoundAfter(name, sandbox, outcome, before)
        } catch (error) {
          throw new Error(`${(error as Error).message}\nThe command said: ${said}`, { cause: error })
        }
        return String(outcome.signal ?? outcome.status)
      })
    },
  }
}

interface RunOutcome {
  readonly path: string
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

async function inCopy<Result>(from: string, work: (sandbox: Sandbox) => Promise<Result>): Promise<Result> {
  const cleanUps: (() => unknown)[] = []
  const sandbox = createSandbox({ after: (cleanUp) => void cleanUps.push(cleanUp) })
  try {
    copySetup(from, sandbox.dir)
    return await work(sandbox)
  } finally {
    for (const cleanUp of cleanUps) await cleanUp()
  }
}

/** Removes locks left by a git killed at the remote: only the owner of that repository can remove them. */
function removeLocks(repository: string): void {
  for (const path of readdirSync(repository, { recursive: true, encoding: 'utf8' }))
    if (path.endsWith('.lock')) rmSync(join(repository, path))
}

function copySetup(from: string, to: string): void {
  for (const name of ['origin.git', 'ann', 'bo'])
    cpSync(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true })
}

function answerOf(name: FaultCommandName, stdout: string, path: string): unknown {
  return (faultCommands[name] as FaultCommand).answer?.(JSON.parse(stdout).data, path)
}

/** Asserts that a machine fault is reported as such: never as a defect of grite or by a silent end of the process. */
function assertAnswer(
  name: FaultCommandName,
  { status, signal, stdout, stderr, path }: RunOutcome,
  { answer }: Prepared,
): void {
  assert.equal(signal, null, 'the process was ended')
  if (status === 0) {
    assert.equal(JSON.parse(stdout).ok, true)
    assert.deepEqual(answerOf(name, stdout, path), answer, 'success with another answer')
    return
  }
  // A check that finds damage prints its verdict.
  if (stderr === '') {
    assert.ok(['doctor', 'db check'].includes(name), 'a failure without a word')
    return
  }
  const { code } = JSON.parse(stderr).error
  assert.ok(!['internal_error', 'invalid_args'].includes(code), `a fault of the machine is ${code}`)
}

async function assertSoundAfter(
  name: FaultCommandName,
  sandbox: Sandbox,
  { path, status, stderr }: RunOutcome,
  { ids: before, files }: Prepared,
): Promise<void> {
  const { writes } = faultCommands[name]
  const bo = memberIn(sandbox, path)
  const ids = await bo.ids()
  assert.deepEqual(
    before.filter((id) => !ids.includes(id)),
    [],
    'an acknowledged event is lost',
  )
  if (typeof writes === 'number') {
    if (status === 0) assert.equal(ids.length, before.length + writes, 'success without the write')
    else if (status !== null) {
      const isWritten = ids.length > before.length
      assert.equal(JSON.parse(stderr).error.details?.written === true, isWritten, 'the answer is not true')
    }
  }
  if (name === 'sync' && status === 0) {
    assert.equal(bo.head(), sandbox.git(join(sandbox.dir, 'origin.git'), 'rev-parse', 'refs/grite/wal'))
    assert.ok(ids.length > before.length, 'success without the events of the remote')
  }
  assert.deepEqual(
    readdirSync(path).filter((file) => !files.includes(file)),
    [],
    'a file was left in the work tree',
  )
  // Checks the view before the next write can repair it.
  await bo.assertView()
  const startedMs = performance.now()
  await bo.create('next')
  const { success } = await bo.sync()
  assert.equal(success, true)
  assert.ok(performance.now() - startedMs < runMsMax, 'the next commands are slow')
  const titles = await bo.titles()
  for (const title of ['next', 'of ann']) assert.ok(titles.includes(title), `no issue '${title}'`)
  await bo.assertSound()
  sandbox.git(join(sandbox.dir, 'origin.git'), 'fsck', '--strict', '--no-dangling')
}
