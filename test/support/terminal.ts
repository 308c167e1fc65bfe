/** A terminal for a test, which `script` of util-linux provides. */
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GriteSandbox, gritePath } from '../contract/grite-process.ts'

type Place = Pick<GriteSandbox, 'dir' | 'path' | 'environment'>

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { input: '' }).status === 0
/** Why there is no terminal. */
export const skip = hasScript ? false : '`script` of util-linux is missing'

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

/** Runs grite on a terminal of 100 columns and 20 lines. */
export function onTerminal(place: Place, env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  return onTerminalOf('cols 100 rows 20', place, env, ...words)
}

export function onTerminalOf(
  size: string,
  place: Place,
  env: Readonly<Record<string, string>>,
  ...words: readonly string[]
) {
  const command = `stty ${size}; ${[process.execPath, gritePath, ...words].map(quote).join(' ')}`
  const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    cwd: place.path,
    env: { ...place.environment, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    input: '',
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, text: stdout.replaceAll('\r\n', '\n') }
}

/** Writes a shell script into the sandbox, to use as editor or pager. */
export function program(place: Place, name: string, body: string): string {
  const file = join(place.dir, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
  return file
}
