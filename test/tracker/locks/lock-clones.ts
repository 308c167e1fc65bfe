/** Several actors in one clone, with a clock that the test moves. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { GriteError } from '../../../src/model/index.ts'
import { leaseRefOf } from '../../../src/wal/index.ts'
import { type CleanUp, createEmptyRepository } from '../../git/temp-repository.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

// biome-ignore lint/suspicious/noExplicitAny: data of commands, whose shape is what the tests assert
export type Data = any

export interface TestActor {
  readonly id: string
  readonly runner: CommandRunner
  /** Runs a command and returns its data. */
  run(name: string, input?: Readonly<Record<string, unknown>>): Promise<Data>
  /** Runs a command that must fail, and returns its details with code and message. */
  fail(name: string, input?: Readonly<Record<string, unknown>>): Promise<Data>
  /** Codes of the warnings since the last call. */
  warned(): string[]
}

export type Actors = Awaited<ReturnType<typeof createActors>>

export async function createActors(t: CleanUp) {
  const place = createPlace(t)
  const ann = await place.actorIn(place.path, 'ann')
  return {
    ...place,
    ann,
    bo: await place.actorIn(place.path, 'bo'),
    /** Creates an issue; the next one is younger. */
    async create(title = 'one'): Promise<string> {
      const { issue_id } = await ann.run('issue create', { title })
      place.clock.nowUnixMs += 1
      return issue_id
    },
  }
}

/** A repository without actors. */
function createPlace(t: CleanUp) {
  const sandbox = createCommandSandbox(t)
  const { path, environment, git } = sandbox
  const clock = { nowUnixMs: 1_800_000_000_000 }
  const actorIn = async (cwd: string, label: string): Promise<TestActor> => {
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
  return {
    ...sandbox,
    clock,
    actorIn,
    /** Refs of a repository below a prefix, by name. */
    refs: (prefix: string, at = path) =>
      git(at, 'for-each-ref', '--format=%(refname)', prefix).split('\n').filter(Boolean),
  }
}

export interface Clone extends TestActor {
  readonly path: string
  /** Appends lines to the configuration of this clone. */
  configure(toml: string): void
}

export type ActorClones = Awaited<ReturnType<typeof createActorClones>>

/** Clones around one bare remote, `origin`, each with an actor of its name. */
export async function createActorClones(t: CleanUp, ...names: readonly string[]) {
  const setup = createPlace(t)
  const { dir, git } = setup
  const origin = join(dir, 'origin.git')
  createEmptyRepository(origin, 'bare')
  const cloneOf = async (name: string): Promise<Clone> => {
    const path = join(dir, name)
    createEmptyRepository(path)
    const remote = `[remote "origin"]\n\turl = ${origin}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`
    appendFileSync(join(path, '.git/config'), remote)
    const actor = await setup.actorIn(path, name)
    const configure = (toml: string) => appendFileSync(join(path, '.git/grite/config.toml'), toml)
    return { ...actor, path, configure }
  }
  const clones: Clone[] = []
  for (const name of names) clones.push(await cloneOf(name))
  const [first] = clones as [Clone]
  return {
    ...setup,
    origin,
    cloneOf,
    clones: clones as [Clone, Clone, Clone],
    /** Creates an issue and syncs it to all clones. */
    async share(title = 'one', more: Readonly<Record<string, unknown>> = {}): Promise<string> {
      const { issue_id } = await first.run('issue create', { title, ...more })
      for (const clone of clones) await clone.run('sync')
      setup.clock.nowUnixMs += 1
      return issue_id
    },
    leases: () => setup.refs('refs/grite-leases', origin),
    leaseRefOf: (id: string) => leaseRefOf(`issue:${id}`),
    leaseFile: (ref: string) => JSON.parse(git(origin, 'show', `${ref}:lock.json`)),
  }
}
