/** Real repositories for histories: clones and remotes as folders, fetched and pushed by git over paths. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { findRepository, type GitPort, type Oid, openRemotes, openRepository } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { type CleanUp, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { checkBytes } from '../support/log.ts'
import {
  cloneCount,
  createIdReader,
  history,
  playHistory,
  type Remote,
  type Repositories,
  remoteNames,
  type Step,
} from './histories.ts'

interface RealRepositories extends Repositories {
  /** Asserts that git finds every repository sound and no stray refs exist. */
  assertSound(): void
  close(): Promise<void>
}

/** An empty repository to copy: ten times as fast as `git init`. */
function createOriginal(t: CleanUp): Sandbox & { readonly path: string } {
  const sandbox = createSandbox(t)
  const path = join(sandbox.dir, 'original.git')
  sandbox.git(sandbox.dir, 'init', '-q', '--bare', '--template=', path)
  return { ...sandbox, path }
}

async function createRealRepositories(
  original: ReturnType<typeof createOriginal>,
  dir: string,
): Promise<RealRepositories> {
  const { environment, git } = original
  const places = new Map<string, string>()
  const ports: GitPort[] = []
  const make = async (name: string, config = '') => {
    const path = join(dir, name)
    places.set(name, path)
    cpSync(original.path, path, { recursive: true })
    if (config !== '') writeFileSync(join(path, 'config'), config, { flag: 'a' })
    const layout = await findRepository({ cwd: path, env: environment })
    const port = openRepository(layout, { environment })
    ports.push(port)
    return { git: port, remotes: openRemotes(port, { isInteractive: false }) }
  }
  mkdirSync(dir)
  const remoteGits = new Map<Remote, GitPort>()
  for (const name of remoteNames) remoteGits.set(name, (await make(`${name}.git`)).git)
  const remoteConfig = remoteNames.map((name) => `[remote "${name}"]\n\turl = ../${name}.git\n`).join('')
  let cloneNumber = 0
  const makeClone = () => make(`clone-${cloneNumber++}`, remoteConfig)
  const clones = []
  for (let index = 0; index < cloneCount; index++) clones.push(await makeClone())
  const { git: reader } = await make('reader.git')
  const alternates = remoteNames.map((name) => `${join(dir, `${name}.git`, 'objects')}\n`).join('')
  mkdirSync(join(dir, 'reader.git/objects/info'), { recursive: true })
  writeFileSync(join(dir, 'reader.git/objects/info/alternates'), alternates)
  return {
    clones,
    ids: createIdReader(),
    async renewClone(index) {
      clones[index] = await makeClone()
    },
    reader,
    remoteHead: async (remote) => (await remoteGits.get(remote)?.readRef(walRef)) ?? null,
    async setRemoteHead(remote, head: Oid | null) {
      const args = head === null ? ['-d', walRef] : [walRef, head]
      git(join(dir, `${remote}.git`), 'update-ref', ...args)
    },
    assertSound() {
      for (const [name, path] of places) {
        git(path, 'fsck', '--strict', '--no-dangling')
        const refs = git(path, 'for-each-ref', '--format=%(refname)').split('\n').filter(Boolean)
        assert.deepEqual(
          refs.filter((ref) => !/^refs\/(grite|grite-remotes\/\w+\/grite)\/wal$/.test(ref)),
          [],
          name,
        )
        if (refs.includes(walRef)) checkBytes(path)
      }
    },
    async close() {
      await Promise.all(ports.map((port) => port.close()))
    },
  }
}

export interface HistoryRun {
  readonly histories: number
  readonly stepsMax: number
  readonly seed: number
  readonly parallel: number
  /** Number of histories that git and the byte checker verify at the end. */
  readonly checked: number
}

/** Plays random histories on real repositories, several at a time. A failure names the seed and the history. */
export async function playRealHistories(
  t: CleanUp,
  { histories, stepsMax, seed, parallel, checked }: HistoryRun,
): Promise<void> {
  const original = createOriginal(t)
  const pending = fc.sample(history(stepsMax), { numRuns: histories, seed }).entries()
  const work = async () => {
    for (const [index, steps] of pending) await playOne(original, index, steps, index < checked)
  }
  try {
    await Promise.all(Array.from({ length: parallel }, work))
  } catch (error) {
    const { index, steps, cause } = error as FailedHistory
    throw new Error(`seed ${seed}, history ${index}: ${JSON.stringify(steps)}`, { cause: cause ?? error })
  }
}

class FailedHistory extends Error {
  constructor(
    readonly index: number,
    readonly steps: readonly Step[],
    cause: unknown,
  ) {
    super('a history failed', { cause })
  }
}

async function playOne(
  original: ReturnType<typeof createOriginal>,
  index: number,
  steps: readonly Step[],
  isChecked: boolean,
) {
  const dir = join(original.dir, `history-${index}`)
  const repositories = await createRealRepositories(original, dir)
  try {
    await playHistory(repositories, steps)
    if (isChecked) repositories.assertSound()
  } catch (error) {
    throw new FailedHistory(index, steps, error)
  } finally {
    await repositories.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
}
