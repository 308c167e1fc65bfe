/** Many readers and writers of one shared repository, concurrent with other processes and with git moving the ref. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDefaultActor } from '../../src/tracker/local/actors.ts'
import { gritePath } from '../contract/grite-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { openSharedRequests } from './shared-requests.ts'

export interface MixedLoad {
  readonly requests: number
  readonly processes: number
  readonly writesPerProcess: number
}

/** Runs the load and asserts that every read was correct and no issue was lost or duplicated. */
export async function runMixedLoad(t: CleanUp, { requests, processes, writesPerProcess }: MixedLoad): Promise<void> {
  const place = await openSharedRequests(t, { viewIdleMs: 20 })
  const { path, environment, git, shared, request } = place
  await place.createIssue('first')
  const actors = [undefined]
  for (const label of ['ann', 'bo']) {
    const facts = { label, generateKey: label === 'bo', randomBytes: randomBytes, nowUnixMs: Date.now() }
    actors.push((await createDefaultActor(shared.paths, facts)).actor.id as never)
  }
  const acknowledged = new Set(['first'])
  const started: string[] = []

  async function writeOne(index: number): Promise<void> {
    const actor = actors[index % actors.length]
    const identity = { actor, dataDir: undefined }
    const title = `request ${index}`
    await place.createIssue(title, { identity })
    acknowledged.add(title)
  }

  async function readOne(): Promise<void> {
    const before = new Set(acknowledged)
    await request(async (workspace) => {
      const view = await workspace.view()
      const titles = new Set((await view.allRows()).map(({ title }) => title))
      for (const title of before) assert.ok(titles.has(title), `${title} was acknowledged before the read`)
      // The view does not change while others write.
      const head = view.head
      await sleep(Math.random() * 10)
      assert.deepEqual(new Set((await view.allRows()).map(({ title }) => title)), titles)
      assert.equal(view.head, head)
      assert.equal(titles.size, view.issueCount)
    })
  }

  async function writeInProcess(name: number): Promise<void> {
    for (let index = 0; index < writesPerProcess; index++) {
      const title = `process ${name} ${index}`
      started.push(title)
      const child = spawn(process.execPath, [gritePath, 'issue', 'create', `--title=${title}`], {
        cwd: path,
        env: environment,
        stdio: 'ignore',
      })
      const [status] = await once(child, 'close')
      assert.equal(status, 0)
      acknowledged.add(title)
    }
  }

  let isOver = false
  async function moveRef(): Promise<void> {
    // Like a forced fetch of an older log, which the next command heals.
    while (!isOver) {
      await sleep(10)
      git(
        path,
        'update-ref',
        'refs/grite/wal',
        git(path, 'rev-list', '--reverse', 'refs/grite/wal').split('\n')[0] as string,
      )
    }
  }

  const moving = moveRef()
  const work = Array.from({ length: requests }, async (_, index) => {
    await sleep(index * 4)
    return index % 4 === 0 ? writeOne(index) : readOne()
  })
  await Promise.all([...work, ...Array.from({ length: processes }, (_, index) => writeInProcess(index))])
  isOver = true
  await moving
  await request(async (workspace) => {
    const titles = (await (await workspace.view()).allRows()).map(({ title }) => title)
    assert.equal(new Set(titles).size, titles.length, 'an issue is duplicated')
    assert.deepEqual(titles.sort(), [...acknowledged].sort())
  })
  git(path, 'fsck', '--strict', '--no-dangling')
}

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count))
