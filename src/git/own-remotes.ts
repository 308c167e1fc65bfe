import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseFileConfig } from './file-config.ts'
import type { RepositoryLayout } from './port.ts'

/**
 * Names of the remotes in the repository's own configuration file, without starting git. A remote may also come from
 * the user's configuration or an included file, so that an empty list does not prove that there is none.
 */
export function listOwnRemotes({ commonDir }: RepositoryLayout): readonly string[] {
  try {
    const config = parseFileConfig(readFileSync(join(commonDir, 'config'), 'utf8'))
    return [...(config?.keys() ?? [])].flatMap((key) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? [])
  } catch {
    return []
  }
}
