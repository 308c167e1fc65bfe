/** Many clients of one daemon with mixed commands, and other ways into the same repository beside them. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Frame, tell } from '../../src/ipc/index.ts'
import { openRepository } from '../../src/library/index.ts'
import type { DaemonSandbox } from '../daemon/daemon-process.ts'
import { WireClient } from '../daemon/wire-client.ts'

export interface DaemonLoad {
  readonly clients: number
  /** All clients together. */
  readonly commands: number
}

/** Hundreds of requests wait for each other. Milliseconds. */
const answerMsMax = 120_000

const clientsOfOneIssue = 20

interface Answer {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** One client with a connection of its own; its commands run one after the other. */
export class LoadClient {
  readonly #place: DaemonSandbox
  readonly #client: WireClient
  #lastId = 0

  private constructor(place: DaemonSandbox, client: WireClient) {
    this.#place = place
    this.#client = client
  }

  static async open(place: DaemonSandbox): Promise<LoadClient> {
    const client = await WireClient.greet(place.endpoint()?.socket as string)
    client.answerMsMax = answerMsMax
    return new LoadClient(place, client)
  }

  async run(...argv: readonly string[]): Promise<Answer> {
    const id = ++this.#lastId
    const key = `${Date.now()}-${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')}`
    this.#client.run(id, { key, argv, cwd: this.#place.path, env: this.#place.environment })
    const [kind, , status] = await this.#client.end(id)
    const frames = this.#client.frames.splice(0)
    assert.equal(kind, tell.exit, `${argv.join(' ')}: ${JSON.stringify(status)}`)
    const textOf = (stream: number) =>
      Buffer.concat(frames.filter(([of]) => of === stream).map(([, , part]: Frame) => part as Uint8Array)).toString()
    return { status: status as number, stdout: textOf(tell.stdout), stderr: textOf(tell.stderr) }
  }

  // biome-ignore lint/suspicious/noExplicitAny: parsed output
  async data(...argv: readonly string[]): Promise<any> {
    const { status, stdout, stderr } = await this.run(...argv, '--json')
    assert.deepEqual([status, stderr], [0, ''], argv.join(' '))
    return JSON.parse(stdout).data
  }

  close(): void {
    this.#client.close()
  }
}

/** What the acknowledged commands must have left in one issue. */
interface Expected {
  readonly title: string
  readonly labels: Set<string>
  comments: number
  isOpen: boolean
}

/**
 * Runs the load: each client creates issues, changes its own and one that it shares with others, and reads. Asserts that each read holds what
 * was acknowledged before it, and that the end is that of the same commands one after the other.
 */
export async function runDaemonLoad(place: DaemonSandbox, { clients, commands }: DaemonLoad): Promise<void> {
  const first = await LoadClient.open(place)
  // An issue can have a thousand labels.
  const shared: string[] = []
  for (let count = 0; count < clients / clientsOfOneIssue; count++) {
    shared.push((await first.data('issue', 'create', `--title=shared ${count}`)).issue_id)
  }
  first.close()
  const before = Number(place.git(place.path, 'rev-list', '--count', 'refs/grite/wal'))
  const expected = new Map<string, Expected>()
  for (const [index, id] of shared.entries()) {
    expected.set(id, { title: `shared ${index}`, labels: new Set(), comments: 0, isOpen: true })
  }
  const eventIds: string[] = []

  async function act(name: number): Promise<void> {
    const client = await LoadClient.open(place)
    const own: string[] = []
    const requireOwn = (turn: number) => own[turn % own.length] as string
    for (let turn = 0; turn < commands / clients; turn++) {
      const kind = own.length === 0 ? 0 : (turn + name) % 8
      switch (kind) {
        case 0: {
          const title = `client ${name} issue ${turn}`
          const { issue_id, event_id } = await client.data('issue', 'create', `--title=${title}`)
          own.push(issue_id)
          eventIds.push(event_id)
          expected.set(issue_id, { title, labels: new Set(), comments: 0, isOpen: true })
          break
        }
        case 1: {
          const { event_id } = await client.data('comment', requireOwn(turn), `--body=turn ${turn}`)
          eventIds.push(event_id)
          ;(expected.get(requireOwn(turn)) as Expected).comments += 1
          break
        }
        case 2: {
          const label = `client-${name}-${turn}`
          const id = shared[name % shared.length] as string
          const { event_ids } = await client.data('issue', 'label', 'add', id, `--label=${label}`)
          eventIds.push(...event_ids)
          ;(expected.get(id) as Expected).labels.add(label)
          break
        }
        case 3: {
          const issue = expected.get(requireOwn(turn)) as Expected
          const { event_ids } = await client.data('issue', issue.isOpen ? 'close' : 'reopen', requireOwn(turn))
          eventIds.push(...event_ids)
          issue.isOpen = !issue.isOpen
          break
        }
        case 4: {
          const known = [...expected.keys()]
          const { issues } = await client.data('list', '--state=all', '--limit=100000')
          const listed = new Set(issues.map(({ issue_id }: { issue_id: string }) => issue_id))
          for (const id of known) assert.ok(listed.has(id), 'an acknowledged issue is not listed')
          break
        }
        case 5: {
          const { comments, isOpen } = expected.get(requireOwn(turn)) as Expected
          const { issue, events } = await client.data('show', requireOwn(turn))
          assert.equal(issue.state, isOpen ? 'open' : 'closed')
          assert.equal(events.filter((event: { kind: object }) => 'CommentAdded' in event.kind).length, comments)
          break
        }
        case 6:
          await client.data('ready', '--limit=5')
          break
        default: {
          const { status, stderr } = await client.run('show', 'ffffffffffff', '--json')
          assert.deepEqual([status, JSON.parse(stderr).error.code], [3, 'not_found'])
        }
      }
    }
    client.close()
  }

  await Promise.all(Array.from({ length: clients }, (_, name) => act(name)))
  assert.equal(new Set(eventIds).size, eventIds.length, 'an event was acknowledged twice')
  await assertState(place, expected)
  const commits = Number(place.git(place.path, 'rev-list', '--count', 'refs/grite/wal')) - before
  assert.ok(commits <= eventIds.length, 'a write has made more than one commit')
}

/** Compares a rebuild without the daemon with what was acknowledged. */
async function assertState(place: DaemonSandbox, expected: ReadonlyMap<string, Expected>): Promise<void> {
  const env = { GRITE_NO_DAEMON: '1' }
  assert.equal(place.griteWith({ env }, 'rebuild').status, 0)
  const { stdout } = place.griteWith({ env }, 'list', '--state=all', '--limit=100000', '--json')
  const { issues } = JSON.parse(stdout).data
  assert.equal(issues.length, expected.size)
  for (const { issue_id, title, labels, state, comment_count } of issues) {
    const wanted = expected.get(issue_id)
    assert.deepEqual(
      [title, [...labels].sort(), state, comment_count],
      [wanted?.title, [...(wanted?.labels ?? [])].sort(), wanted?.isOpen ? 'open' : 'closed', wanted?.comments],
    )
  }
  assert.equal(place.git(place.path, 'fsck', '--strict', '--no-dangling'), '')
}

/** For so long, a daemon, commands without it and an embedded library create issues. Milliseconds. */
export async function runBesideOthers(place: DaemonSandbox, durationMs: number): Promise<void> {
  const endMs = performance.now() + durationMs
  const titles: string[] = []
  let reads = 0

  async function throughDaemon(name: string): Promise<void> {
    const client = await LoadClient.open(place)
    for (let turn = 0; performance.now() < endMs; turn++) {
      const title = `${name} ${turn}`
      await client.data('issue', 'create', `--title=${title}`)
      titles.push(title)
      if (turn % 5 === 0) await requireAll(async () => (await client.data('list', '--limit=100000')).issues)
      // So that the log stays short enough to compare it often.
      await sleep(10)
    }
    client.close()
  }

  async function requireAll(list: () => Promise<readonly { readonly title?: string | undefined }[]>): Promise<void> {
    const known = [...titles]
    const listed = new Set((await list()).map(({ title }) => title))
    for (const title of known) assert.ok(listed.has(title), `${title} was acknowledged before the read`)
    reads += 1
  }

  async function inProcesses(...more: readonly string[]): Promise<void> {
    for (let turn = 0; performance.now() < endMs; turn++) {
      const title = `process ${more.join('')} ${turn}`
      const child = place.start('new', `--title=${title}`, ...more)
      let stderr = ''
      child.stderr.on('data', (part) => {
        stderr += part
      })
      child.stdout.resume()
      const status = await new Promise((resolve) => child.once('close', resolve))
      assert.deepEqual([status, stderr], [0, ''], title)
      titles.push(title)
    }
  }

  async function embedded(): Promise<void> {
    const repository = await openRepository({ cwd: place.path, env: place.environment })
    try {
      for (let turn = 0; performance.now() < endMs; turn++) {
        const title = `library ${turn}`
        await repository.issues.create({ title })
        titles.push(title)
        if (turn % 5 === 0) await requireAll(async () => (await repository.issues.list({ limit: 100_000 })).issues)
        await sleep(20)
      }
    } finally {
      await repository.close()
    }
  }

  await Promise.all([throughDaemon('one'), throughDaemon('two'), inProcesses('--no-daemon'), inProcesses(), embedded()])
  const { stdout } = place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'list', '--limit=100000', '--json')
  const found = JSON.parse(stdout).data.issues.map(({ title }: { title: string }) => title)
  assert.deepEqual(found.sort(), titles.sort())
  assert.ok(reads > 1)
  assert.equal(place.git(place.path, 'fsck', '--strict', '--no-dangling'), '')
}
