import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from '../git/temp-repository.ts'

export interface DyingGit {
  /** PATH with the fake in front. */
  readonly environment: Readonly<Record<string, string>>
  /** From now on, the next git of this command leaves a file behind, as if it was killed while it held a lock. */
  arm(): void
  readonly hasDied: () => boolean
}

/**
 * A `git` that is the real one until it is armed: then the next run of a command makes a file, below the folder that a
 * variable names, and kills itself.
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
