import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox } from '../git/temp-repository.ts'

/** Arguments and process of a `git maintenance` run. */
export interface MaintenanceRun {
  readonly words: string
  readonly gitDir: string
  readonly folder: string
  readonly processId: number
  readonly processGroup: number
}

export interface FakeGit {
  /** An environment whose PATH finds the fake git first, and in which maintenance may start. */
  readonly environment: Readonly<Record<string, string>>
  /** Waits for the start of a run, which then waits for `release`. */
  started(): Promise<MaintenanceRun>
  readonly hasStarted: () => boolean
  readonly isRunning: () => boolean
  /** Lets the run end and waits for its end. */
  release(): Promise<void>
}

/** Time that a loaded machine may need to start or end a process. */
const waitMsMax = 20_000

/**
 * Creates a `git` that runs the real one except for `maintenance`, which records its start and waits for `release`. It
 * also ends when its directory is removed.
 */
export function createFakeGit({ dir, environment }: Sandbox, exitStatus = 0): FakeGit {
  const folder = join(dir, 'fake-git')
  const [record, go, ended] = ['record', 'go', 'ended'].map((name) => join(folder, name)) as [string, string, string]
  mkdirSync(folder)
  const path = environment.PATH ?? ''
  writeFileSync(
    join(folder, 'git'),
    `#!/bin/sh
if [ "$1" != maintenance ]; then PATH='${path}' exec git "$@"; fi
printf '%s\\n' "$*" "$GIT_DIR" "$PWD" "$$" "$(ps -o pgid= -p $$)" > '${record}.part'
mv '${record}.part' '${record}'
for wait in $(seq 400); do { [ -e '${go}' ] || [ ! -d '${folder}' ]; } && break; sleep 0.05; done
: 2> /dev/null > '${ended}'
exit ${exitStatus}
`,
  )
  chmodSync(join(folder, 'git'), 0o755)
  const waitFor = async (file: string) => {
    for (let waited = 0; !existsSync(file); waited += 10) {
      if (waited >= waitMsMax) throw new Error(`${file} did not appear`)
      await sleep(10)
    }
  }
  const hasStarted = () => existsSync(record)
  const release = async () => {
    writeFileSync(go, '')
    if (hasStarted()) await waitFor(ended)
  }
  return {
    environment: { ...environment, PATH: `${folder}:${path}`, GRITE_NO_MAINTENANCE: '' },
    hasStarted,
    isRunning: () => hasStarted() && !existsSync(ended),
    release,
    async started() {
      await waitFor(record)
      const [words = '', gitDir = '', cwd = '', processId, processGroup] = readFileSync(record, 'utf8').split('\n')
      return { words, gitDir, folder: cwd, processId: Number(processId), processGroup: Number(processGroup) }
    },
  }
}
