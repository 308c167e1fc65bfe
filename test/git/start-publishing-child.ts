import { spawn } from 'node:child_process'
import { childProgram } from '../support/child-program.ts'
import type { PublishingOrder } from './publishing-child.ts'

export interface ChildEnd {
  readonly exitStatus: number | null
  readonly signal: string | null
  readonly stderr: string
}

/** Runs publishing-child.ts with an order until it exits. */
export function startPublishingChild(order: PublishingOrder): Promise<ChildEnd> {
  const program = childProgram('test/git/publishing-child.ts')
  const child = spawn(process.execPath, [...program, JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve) => {
    child.once('close', (exitStatus, signal) => resolve({ exitStatus, signal, stderr }))
  })
}
