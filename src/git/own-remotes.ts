import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FileConfig, parseFileConfig } from './file-config.ts'
import type { RepositoryLayout } from './port.ts'

/**
 * Names of the remotes in the repository's own configuration file, without starting git. A remote may also come from
 * the user's configuration or an included file, so an empty list does not prove that there is none.
 */
export function listOwnRemotes({ commonDir }: RepositoryLayout): readonly string[] {
  try {
    const config = parseFileConfig(readFileSync(join(commonDir, 'config'), 'utf8'))
    return config === null ? [] : remotesOf(config)
  } catch {
    return []
  }
}

/** Names of the remotes with a URL in a configuration, in its order. */
export function remotesOf(config: FileConfig): readonly string[] {
  return [...config.keys()].flatMap((key) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? [])
}
