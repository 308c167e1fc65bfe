/** Several actors in one clone, with a clock that stands still until it is moved. */
import assert from 'node:assert/strict'
import { GriteError } from '../../../src/model/index.ts'
import type { CleanUp } from '../../git/temp-repository.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

// biome-ignore lint/suspicious/noExplicitAny: data of commands, whose shape is what the tests assert
export type Data = any

export interface Hand {
  readonly id: string
  readonly runner: CommandRunner
  /** Runs a command and gives its data. */
  run(name: string, input?: Readonly<Record<string, unknown>>): Promise<Data>
  /** Runs a command that fails, and gives its details with code and message. */
  fail(name: string, input?: Readonly<Record<string, unknown>>): Promise<Data>
  /** Codes of the warnings so far, which are then forgotten. */
  warned(): string[]
}

export type Scene = Awaited<ReturnType<typeof createScene>>

export async function createScene(t: CleanUp) {
  const sandbox = createCommandSandbox(t)
  const { path, environment, git } = sandbox
  const clock = { nowUnixMs: 1_800_000_000_000 }
  const handIn = async (cwd: string, label: string): Promise<Hand> => {
    const facts = { cwd, env: environment, nowUnixMs: () => clock.nowUnixMs }
    const { actor_id: id } = (await commandRunner(facts).run('actor init', { label })) as Data
    const runner = commandRunner({ ...facts, actor: id })
    const run = (name: string, input = {}): Promise<Data> => runner.run(name, input)
    return {
      id,
      runner,
      run,
      async fail(name, input) {
        const error = await run(name, input).then(
          (data) => assert.fail(`${name} did not fail: ${JSON.stringify(data)}`),
          (thrown: unknown) => thrown,
        )
        if (!(error instanceof GriteError)) throw error
        return { code: error.code, exit: error.exitStatus, message: error.message, ...error.details }
      },
      warned: () => runner.warnings.splice(0).map(({ code }) => code),
    }
  }
  const ann = await handIn(path, 'ann')
  return {
    ...sandbox,
    clock,
    handIn,
    ann,
    bo: await handIn(path, 'bo'),
    /** Refs of a repository below a prefix, by name. */
    refs: (prefix: string, at = path) =>
      git(at, 'for-each-ref', '--format=%(refname)', prefix).split('\n').filter(Boolean),
    create: async (title = 'one'): Promise<string> => (await ann.run('issue create', { title })).issue_id,
  }
}
