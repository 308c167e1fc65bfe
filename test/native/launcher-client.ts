import { spawn } from 'node:child_process'
import type { DaemonClient } from '../conformance/daemon-client-setup.ts'
import { compileNative, whyNoCompiler } from './compile-launcher.ts'

// Before the tests: meanwhile a fake daemon would not answer.
const launcher = whyNoCompiler === false ? compileNative('grite.c') : ''

export const launcherClient: DaemonClient = {
  name: 'the launcher',
  start(words, { cwd, env, wrapper, stdin }) {
    const [program = '', ...others] = [...wrapper, launcher, ...words]
    return spawn(program, others, { cwd, env, stdio: [stdin, 'pipe', 'pipe'], detached: true })
  },
}
