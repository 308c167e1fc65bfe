import { spawn } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DaemonClient } from '../conformance/daemon-client-setup.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { localGrite } from './compile-launcher.ts'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

const entry = makeEntry()

/** The client in the Node entry, with a stand-in for the command line behind it. */
export const nodeClient: DaemonClient = {
  name: 'the Node client',
  start(words, { cwd, env, wrapper, stdin }) {
    const [program = '', ...others] = [...wrapper, process.execPath, entry, ...words]
    return spawn(program, others, { cwd, env, stdio: [stdin, 'pipe', 'pipe'], detached: true })
  },
}

function makeEntry(): string {
  const { dir } = createSandbox({ after: (callback) => process.once('exit', () => void callback()) })
  const folder = join(dir, 'dist')
  // Without the compiled code, which is that of the scripts as they are.
  cpSync(dist, folder, { recursive: true, filter: (path) => !path.startsWith(join(dist, 'code')) })
  const hot = `(function (require, load, interop) {
    const hot = ${readFileSync(join(dist, 'hot.cjs'), 'latin1')}(require, load, interop)
    const reportLostDaemon = () => hot['cli/bundle']().reportLostDaemon()
    const runProcess = () => require(${JSON.stringify(localGrite)})
    return { ...hot, 'cli/bundle': () => ({ runProcess, reportLostDaemon }) }
  })`
  writeFileSync(join(folder, 'hot.cjs'), hot, 'latin1')
  return join(folder, 'grite.cjs')
}
