import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { gritePath } from '../contract/grite-process.ts'
import type { DaemonSandbox } from '../daemon/daemon-process.ts'
import { childProgram } from './child-program.ts'
import type { DaemonOrder } from './daemon-child.ts'

/** Starts daemon-child.ts in a sandbox and waits until it serves. The sandbox ends it. */
export async function startDaemonChild(
  { path, environment }: DaemonSandbox,
  order: Partial<DaemonOrder> = {},
): Promise<ChildProcess> {
  const whole = { cwd: path, environment, buildFile: join(gritePath, '../build-id'), ...order }
  const child = spawn(process.execPath, [...childProgram('test/support/daemon-child.ts'), JSON.stringify(whole)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'close').then(([status, signal]) => Promise.reject(new Error(`it ended: ${status} ${signal}`))),
  ])
  return child
}
