// Runs the everyday commands once and stores V8's compiled code for them beside the bundle. Excludes bulk commands: they change
// V8 flags, and V8 rejects a cache made under other flags.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const dist = resolve(process.argv[2])
const { bundle, script } = createRequire(import.meta.url)(join(dist, 'grite.cjs'))
const directory = mkdtempSync(join(tmpdir(), 'grite-code-cache-'))
const env = { PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: '1' }
try {
  execFileSync('git', ['init', '-q', directory], { env })
  const list = await run('issue', 'create', '--title', 'First', '--label', 'bug', '--json')
  const id = JSON.parse(list).data.issue_id
  await run('issue', 'comment', id, '--body', 'Text')
  await run('issue', 'list')
  await run('issue', 'list', '--json')
  await run('issue', 'show', id)
  await run('issue', 'close', id, '--json')
  const { v8 } = process.versions
  writeFileSync(join(dist, `bundle-${v8}-${process.arch}.cache`), script.createCachedData())
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function run(...argv) {
  let printed = ''
  const write = async (text) => {
    printed += text
  }
  const sink = { isTerminal: false, columns: () => undefined, write }
  const facts = {
    ...bundle.nodeProcessFacts(bundle.createInterrupts()),
    cwd: () => directory,
    env,
    stdout: sink,
    stderr: sink,
  }
  const status = await bundle.main(argv, facts)
  if (status !== 0) throw new Error(`grite ${argv.join(' ')} exited with ${status}: ${printed}`)
  return printed
}
