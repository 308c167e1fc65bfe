import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { PublishingOrder } from './publishing-child.ts'

export interface ChildEnd {
  readonly exitStatus: number | null
  readonly signal: string | null
  readonly stderr: string
}

/** Runs publishing-child.ts with an order to its end. */
export function startPublishingChild(order: PublishingOrder): Promise<ChildEnd> {
  const script = fileURLToPath(new URL('publishing-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(order)], {
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
