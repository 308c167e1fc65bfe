/** Ctrl-C during each git process of a sync: the processes end, and the next sync finishes the work. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gritePath } from '../contract/grite-process.ts'
import { createProcessClones, titlesIn } from '../sync/process-clones.ts'

/**
 * A `git` that sends a SIGINT when it runs one command, and then waits, as it would for a slow remote or disk.
 *
 * @param receiver - as `kill` takes it, in the shell
 */
function interruptingGit(dir: string, path: string, { command, receiver }: { command: string; receiver: string }) {
  const folder = join(dir, `interrupting-${command}`)
  const pidFile = join(folder, 'pid')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'git'),
    `#!/bin/sh
case " $* " in *" ${command} "*) echo $$ > '${pidFile}'; kill -INT ${receiver}; exec sleep 600 ;; esac
PATH='${path}' exec git "$@"
`,
  )
  chmodSync(join(folder, 'git'), 0o755)
  return { path: `${folder}:${path}`, pid: () => Number(readFileSync(pidFile, 'utf8')) }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; isRunning(pid); tries++) {
    assert.ok(tries < 1500, `process ${pid} still runs`)
    await sleep(20)
  }
}

describe('Ctrl-C during a sync', { concurrency: 2 }, () => {
  for (const command of ['fetch', 'fast-export', 'push']) {
    for (const [receivers, receiver] of [
      ['grite and git', '0'],
      ['grite alone', '$PPID'],
    ] as const) {
      it(`a SIGINT to ${receivers} during git ${command} loses nothing`, async (t) => {
        const setup = createProcessClones(t)
        const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
        ann.create('base')
        ann.data('sync')
        bo.data('sync')
        // More than git leaves loose.
        const titles = Array.from({ length: 6 }, (_, index) => `of bo ${index}`)
        for (const title of titles) bo.create(title)
        bo.data('sync')
        ann.create('of ann')

        const git = interruptingGit(ann.dir, ann.environment.PATH ?? '', { command, receiver })
        const child = spawn(process.execPath, [gritePath, 'sync'], {
          cwd: ann.path,
          env: { ...ann.environment, PATH: git.path },
          stdio: 'ignore',
          // A process group of its own, as a shell makes for each command.
          detached: true,
        })
        assert.deepEqual(await once(child, 'exit'), [130, null])
        await untilGone(git.pid())

        const all = ['base', 'of ann', ...titles].sort()
        assert.equal(ann.grite('sync').status, 0)
        assert.deepEqual(titlesIn(ann), all)
        bo.data('sync')
        assert.deepEqual(titlesIn(bo), all)
        assert.equal(ann.head(), setup.originHead())
        ann.git(ann.path, 'fsck', '--strict', '--no-dangling')
      })
    }
  }
})
