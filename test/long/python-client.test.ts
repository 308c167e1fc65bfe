import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { daemonClientConformance } from '../conformance/daemon-client.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { localGrite } from '../native/compile-launcher.ts'

const client = fileURLToPath(new URL('../interop/grite_client.py', import.meta.url))
// A version manager may have put a script in its place, which takes longer to start and changes the environment.
const { status, stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
const python = status === 0 ? stdout.trim() : undefined

/** A folder with the program grite that the client finds on PATH. */
const folder = join(createSandbox({ after }).dir, 'bin')
mkdirSync(folder)
symlinkSync(localGrite, join(folder, 'grite'))

daemonClientConformance(
  {
    name: 'the Python client',
    start(words, { cwd, env, wrapper, stdin }) {
      const [program = '', ...others] = [...wrapper, python ?? '', '-S', client, ...words]
      const PATH = `${folder}:${env.PATH}`
      return spawn(program, others, { cwd, env: { ...env, PATH }, stdio: [stdin, 'pipe', 'pipe'], detached: true })
    },
  },
  python === undefined ? 'there is no python3' : false,
)
