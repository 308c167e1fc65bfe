import { spawn } from 'node:child_process'
import { daemonClientConformance } from '../conformance/daemon-client.ts'
import { compileNative, whyNoCompiler } from './compile-launcher.ts'

daemonClientConformance(
  {
    name: 'the launcher',
    start(words, { cwd, env, wrapper, stdin }) {
      const [program = '', ...others] = [...wrapper, compileNative('grite.c'), ...words]
      return spawn(program, others, { cwd, env, stdio: [stdin, 'pipe', 'pipe'] })
    },
  },
  whyNoCompiler,
)
