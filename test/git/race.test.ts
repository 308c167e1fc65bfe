import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { openRepository } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { publishChain } from './sample-commits.ts'
import { startPublishingChild } from './start-publishing-child.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

describe('concurrent writers', () => {
  it('grite processes and plain git lose no update of each other', async (t) => {
    const repository = await createTempRepository(t)
    const { environment, path } = repository
    // git continues an existing reflog but starts none for this ref.
    await publishChain(openRepository(repository.layout, { environment }), ['first'])
    const order = { cwd: path, environment, commits: 30 }
    const children = [
      startPublishingChild({ ...order, implementation: 'combined', name: 'a' }),
      startPublishingChild({ ...order, implementation: 'combined', name: 'b' }),
      startPublishingChild({ ...order, implementation: 'native', name: 'c', commits: 10 }),
    ]
    const byGit = await appendWithGit(repository, 20)
    for (const end of await Promise.all(children)) assert.equal(end.exitStatus, 0, end.stderr)
    const subjects = repository.run('log', '--format=%s', walRef).split('\n')
    assert.equal(subjects.length, 91)
    assert.equal(new Set(subjects).size, 91)
    assert.equal(byGit, 20)
    const reflog = repository.run('reflog', 'show', '--format=%H', walRef).split('\n')
    assert.deepEqual(reflog, repository.run('rev-list', walRef).split('\n'))
    repository.run('fsck', '--strict', '--no-dangling')
  })

  it('concurrent gc, repack and pack-refs lose no commit', async (t) => {
    const repository = await createTempRepository(t)
    const { environment, layout } = repository
    const stop = new AbortController()
    const maintenance = loopMaintenance(repository, stop.signal)
    const port = openRepository(layout, { environment })
    const messages = Array.from({ length: 150 }, (_value, index) => `m${index}`)
    const oids = await publishChain(port, messages)
    stop.abort()
    const rounds = await maintenance
    await port.close()
    assert.ok(rounds > 0, 'maintenance ran at least once')
    assert.deepEqual(repository.run('rev-list', '--reverse', walRef).split('\n'), oids)
    repository.run('fsck', '--strict', '--no-dangling')
  })
})

async function appendWithGit({ path, environment, run }: TempRepository, commits: number): Promise<number> {
  const tree = run('write-tree')
  let done = 0
  while (done < commits) {
    const head = await tryGit(path, environment, ['rev-parse', '-q', '--verify', walRef])
    const parents = head ? ['-p', head] : []
    const commit = (await tryGit(path, environment, ['commit-tree', tree, ...parents, '-m', `git ${done}`])) ?? ''
    if ((await tryGit(path, environment, ['update-ref', '-m', 'git', walRef, commit, head ?? '0'.repeat(40)])) !== null)
      done++
  }
  return done
}

async function loopMaintenance({ path, environment }: TempRepository, signal: AbortSignal): Promise<number> {
  let rounds = 0
  for (; !signal.aborted; rounds++) {
    for (const args of [
      ['pack-refs', '--all'],
      ['repack', '-adq'],
      ['gc', '-q'],
      ['prune-packed', '-q'],
    ]) {
      if (!signal.aborted) await tryGit(path, environment, args)
    }
  }
  return rounds
}

/** Runs git. Returns its output, or null when it failed. */
function tryGit(cwd: string, env: Readonly<Record<string, string>>, args: readonly string[]): Promise<string | null> {
  const child = spawn('git', args, { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve) => child.once('close', (status) => resolve(status === 0 ? output.trim() : null)))
}
