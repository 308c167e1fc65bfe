/** Four agents, two in each of two clones, work through a queue as processes, by the commands of the guide alone. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatGuide } from '../../src/tracker/agents/guide.ts'
import { type GriteSandbox, gritePath } from '../contract/grite-process.ts'
import { createProcessClones } from '../sync/process-clones.ts'

const issueCount = 12
/** Bytes that an agent read per issue with `issue claim --json` and `issue show --json`; the guide must halve them. */
const bytesFormerly = 7400

/** The two shell blocks of the section about the loop: at the start, and for each issue. */
const [atStart, forEach] = shellBlocks(sectionOf('The loop'))
const initLine = commandIn(sectionOf('The loop'), 'grite actor init')

function sectionOf(heading: string): string {
  const section = formatGuide(1)
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`))
  assert.ok(section !== undefined, heading)
  return section
}

function shellBlocks(markdown: string): [string[], string[]] {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines = '']) =>
    lines.trimEnd().split('\n'),
  )
  assert.equal(blocks.length, 2)
  return blocks as [string[], string[]]
}

function commandIn(markdown: string, start: string): string {
  const found = markdown.match(/grite [^`\n]+/g)?.find((line) => line.startsWith(start))
  assert.ok(found !== undefined, start)
  return found
}

interface Agent {
  readonly name: string
  readonly clone: GriteSandbox
  readonly env: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a line of the guide as a process of its own. */
async function follow({ clone, env }: Agent, line: string, issue = ''): Promise<Answer> {
  const words = line.replace(/^grite /, '').match(/"[^"]*"|\S+/g) ?? []
  const argv = words.map((word) => word.replace(/^"|"$/g, '').replace('<issue>', issue))
  const child = spawn(process.execPath, [gritePath, ...argv], {
    cwd: clone.path,
    env: { ...clone.environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { status, stdout, stderr }
}

async function enter(clone: GriteSandbox, number: number): Promise<Agent> {
  const name = `agent-${number}`
  const answer = await follow({ name, clone, env: {} }, initLine.replace('agent-1', name))
  return { name, clone, env: { GRITE_ACTOR: JSON.parse(answer.stdout).data.actor_id } }
}

/** The issue that a claim or a close has claimed; null if none is left, undefined if it is worth trying again. */
function claimedBy({ status, stdout, stderr }: Answer): string | null | undefined {
  const claimed = /^Claimed (\S+) /m.exec(stdout)?.[1]
  if (claimed !== undefined) return claimed
  const [, why = ''] = /nothing to claim: (.*)/i.exec(stdout + stderr) ?? []
  assert.ok(why !== '', `exit ${status}: ${stdout}${stderr}`)
  return /no open issue is left/.test(why) ? null : undefined
}

interface Worked {
  readonly agent: string
  readonly issue: string
  /** Everything that the agent read because of this issue. */
  readonly bytes: number
}

async function work(agent: Agent): Promise<Worked[]> {
  const worked: Worked[] = []
  let bytes = 0
  const read = async (line: string, issue?: string): Promise<Answer> => {
    const answer = await follow(agent, line, issue)
    bytes += Buffer.byteLength(answer.stdout + answer.stderr)
    return answer
  }
  const claim = atStart.at(-1) ?? ''
  for (const line of atStart.slice(0, -1)) assert.equal((await read(line)).status, 0, line)
  let issue = claimedBy(await read(claim))
  while (issue !== null) {
    if (issue === undefined) {
      await sleep(500)
      issue = claimedBy(await read(claim))
      continue
    }
    let next: string | null | undefined
    for (const line of forEach) {
      const answer = await read(line, issue)
      assert.equal(answer.status, 0, `${line}: ${answer.stderr}`)
      if (line.includes('--claim-next')) next = claimedBy(answer)
    }
    worked.push({ agent: agent.name, issue, bytes })
    bytes = 0
    issue = next
  }
  return worked
}

/** Every third issue waits for two earlier ones. Texts are as long as those of real trackers. */
function queue(): string {
  const body =
    'The parser drops the comment that follows a heredoc, if the heredoc ends at the end of the file. '.repeat(5)
  const lines = Array.from({ length: issueCount }, (_, index) => ({
    op: 'create',
    title: `Issue ${index} of the parser, with a title of usual length`,
    body,
    as: `i${index}`,
    labels: ['agent:todo', `priority:P${index % 4}`],
  }))
  const edges = lines.flatMap((_, index) =>
    index % 3 !== 2 ? [] : [index - 1, index - 2].map((target) => ({ issue: `@i${index}`, target: `@i${target}` })),
  )
  return [...lines, ...edges.map((edge) => ({ op: 'dep_add', type: 'depends_on', ...edge }))]
    .map((line) => JSON.stringify(line))
    .join('\n')
}

test('four agents work through the loop of the guide, each issue once, with half the bytes', async (t) => {
  const setup = createProcessClones(t)
  const [one, two] = [setup.clone('one'), setup.clone('two')]
  const made = one.griteWith({ stdin: queue() }, 'batch')
  assert.equal(made.status, 0, made.stderr)
  one.data('sync')
  two.data('sync', '--pull')
  const agents: Agent[] = []
  for (const [index, clone] of [one, one, two, two].entries()) agents.push(await enter(clone, index + 1))
  const worked = (await Promise.all(agents.map(work))).flat()
  const ids = new Set(worked.map(({ issue }) => issue.slice(0, 7)))
  assert.deepEqual([ids.size, worked.length], [issueCount, issueCount])
  for (const clone of [one, two]) {
    clone.data('sync')
    const { issues } = clone.data('issue', 'list', '--fields=state,comment_count')
    const states = issues.map((issue: object) => JSON.stringify(issue))
    assert.deepEqual([...new Set(states)], ['{"state":"closed","comment_count":2}'])
  }
  const sizes = worked.map(({ bytes }) => bytes).sort((left, right) => left - right)
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0
  t.diagnostic(`bytes per issue: median ${median}, most ${sizes.at(-1)}; by agent ${countBy(worked)}`)
  assert.ok(median <= bytesFormerly / 2, `${median} bytes`)
})

function countBy(worked: readonly Worked[]): string {
  const counts = new Map<string, number>()
  for (const { agent } of worked) counts.set(agent, (counts.get(agent) ?? 0) + 1)
  return [...counts.values()].join(' ')
}
