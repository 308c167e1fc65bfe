/** Agents that work through a queue with the exact commands of the guide. */
import assert from 'node:assert/strict'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { parseArgv } from '../../src/cli/parse-argv.ts'
import { NotFoundError } from '../../src/model/index.ts'
import { formatGuide } from '../../src/tracker/agents/guide.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { type CommandRunner, commandRunner } from '../support/command-runner.ts'
import { createActorClones, type Data, type TestActor } from '../tracker/locks/lock-clones.ts'

interface Agent {
  readonly name: string
  readonly runner: CommandRunner
}

export interface Played {
  /** Agents that worked on each issue, by its id. */
  readonly workers: ReadonlyMap<string, readonly string[]>
  /** Codes of all warnings. */
  readonly warnings: readonly string[]
}

/** The guide's command that begins with these words. */
function fromGuide(start: string): string {
  const shown = formatGuide(2).match(/grite [^`\n]+\n?/g) ?? []
  const found = shown.find((line) => line.startsWith(start))?.trimEnd()
  assert.ok(found !== undefined, `the guide shows no '${start}'`)
  return found
}

/** Four agents, two in each of two clones, take and close every issue of a queue. */
export async function playGuide(t: CleanUp, issueCount: number): Promise<Played> {
  const setup = await createActorClones(t, 'ann', 'bo')
  const [ann, bo] = setup.clones
  setup.clock.nowUnixMs = Date.now()
  const lines = Array.from({ length: issueCount }, (_, index) =>
    JSON.stringify({ op: 'create', title: `issue ${index}` }),
  )
  await commandRunner({ cwd: ann.path, env: setup.environment, actor: ann.id, stdin: lines.join('\n') }).run('batch')
  await ann.run('sync')
  await bo.run('sync')
  const agents: Agent[] = []
  for (const [index, path] of [ann.path, ann.path, bo.path, bo.path].entries()) {
    const actor: TestActor = await setup.actorIn(path, `agent-${index}`)
    agents.push({
      name: `agent-${index}`,
      runner: commandRunner({ cwd: path, env: setup.environment, actor: actor.id }),
    })
  }
  const workers = new Map<string, string[]>()
  await Promise.all(
    agents.map((agent) =>
      work(agent, (issueId) => workers.set(issueId, [...(workers.get(issueId) ?? []), agent.name])),
    ),
  )
  return { workers, warnings: agents.flatMap(({ runner }) => runner.warnings.map(({ code }) => code)) }
}

const table = buildCommandTable(commandLineCommands)

/** Runs a line of the guide. */
async function follow({ runner }: Agent, line: string, issueId = ''): Promise<Data> {
  const words = line.replace(/^grite /, '').match(/"[^"]*"|\S+/g) ?? []
  const argv = words.map((word) => word.replace(/^"|"$/g, '').replace('<issue>', issueId))
  const { request } = await parseArgv(argv, table)
  assert.ok(request.kind === 'run', line)
  return runner.run(request.command.name, request.input)
}

async function work(agent: Agent, note: (issueId: string) => void): Promise<void> {
  await follow(agent, fromGuide('grite sync --pull'))
  for (;;) {
    let claimed: Data = await follow(agent, fromGuide('grite issue claim --next')).catch(nothingReady)
    if (claimed === null) return
    while (claimed !== null) {
      note(claimed.issue_id)
      ;({ claimed } = await follow(agent, fromGuide('grite issue close <issue>'), claimed.issue_id))
      await follow(agent, fromGuide('grite sync\n'))
    }
  }
}

function nothingReady(error: unknown): null {
  if (error instanceof NotFoundError) return null
  throw error
}
