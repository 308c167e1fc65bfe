import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from '../git/temp-repository.ts'

export interface DyingGit {
  /** An environment whose PATH finds the fake git first. */
  readonly environment: Readonly<Record<string, string>>
  /** Makes the next git run of this command leave a file behind, as if killed while it held a lock. */
  arm(): void
  readonly hasDied: () => boolean
}

/**
 * Creates a `git` that runs the real one until it is armed. Then the next run of a command creates a file, below the
 * directory that a variable names, and kills itself.
 */
export function createDyingGit(
  { dir, environment }: Sandbox,
  { command, below, leaves }: { readonly command: string; readonly below: string; readonly leaves: string },
): DyingGit {
  const folder = join(dir, `dying-${command}`)
  const armed = join(folder, 'armed')
  mkdirSync(folder)
  const path = environment.PATH ?? ''
  writeFileSync(
    join(folder, 'git'),
    `#!/bin/sh
if [ -e '${armed}' ]; then
  for word in "$@"; do
    [ "$word" = '${command}' ] || continue
    rm '${armed}'
    cat > /dev/null
    mkdir -p "$(dirname "$${below}/${leaves}")"
    : > "$${below}/${leaves}"
    kill -9 $$
  done
fi
PATH='${path}' exec git "$@"
`,
  )
  chmodSync(join(folder, 'git'), 0o755)
  rmSync(armed, { force: true })
  return {
    environment: { ...environment, PATH: `${folder}:${path}` },
    arm: () => writeFileSync(armed, ''),
    hasDied: () => !existsSync(armed),
  }
}
