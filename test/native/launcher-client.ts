import { spawn } from 'node:child_process'
import type { DaemonClient } from '../conformance/daemon-client-setup.ts'
import { compileNative } from './compile-launcher.ts'

export const launcherClient: DaemonClient = {
  name: 'the launcher',
  start(words, { cwd, env, wrapper, stdin }) {
    const [program = '', ...others] = [...wrapper, compileNative('grite.c'), ...words]
    return spawn(program, others, { cwd, env, stdio: [stdin, 'pipe', 'pipe'], detached: true })
  },
}
