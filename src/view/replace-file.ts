import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes, type SharedPermissions } from '../git/index.ts'

/** Replaces a file of copied facts, without flushing it: its reader verifies it. */
export function replaceFile(path: string, content: Buffer, permissions: SharedPermissions): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(draft, content)
    permissions.adjust(draft)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
