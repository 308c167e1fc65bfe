import { join } from 'node:path'
import { type RepositoryLayout, readSmallFile } from '../../git/index.ts'
import { ConflictError, InvalidArgsError, StorageError } from '../../model/index.ts'
import { findPlace } from '../local/find-place.ts'
import { writeOutputFile } from '../local/write-file-atomically.ts'
import { formatGuide } from './guide.ts'
import { beginMarker, planSection } from './managed-section.ts'

const fileName = 'AGENTS.md'
/** A larger AGENTS.md is not a file of instructions. */
const fileBytesMax = 8 * 1024 * 1024

/** A planned change of AGENTS.md that was validated but not yet written. */
export interface AgentsMdChange {
  readonly path: string
  readonly action: 'created' | 'updated' | 'unchanged' | 'skipped'
  readonly write: () => Promise<void>
}

/**
 * Plans the change after which AGENTS.md at the top of the work tree holds the guide. Writes nothing.
 * @throws {InvalidArgsError} in a bare repository
 * @throws {ConflictError} when the file is a link to outside the work tree, or its markers are broken
 */
export async function planAgentsMd(layout: RepositoryLayout): Promise<AgentsMdChange> {
  const { workTree } = layout
  if (workTree === null) {
    throw new InvalidArgsError('a bare repository has no work tree for AGENTS.md', { details: { field: 'agents-md' } })
  }
  const path = join(workTree, fileName)
  const place = await findPlace(workTree, fileName)
  const plan = planSection(await readIfThere(place), formatGuide(2))
  if (plan.action === 'refused') {
    throw new ConflictError(`${path} was not changed: ${plan.reason}`, {
      details: { path, reason: plan.reason },
      hints: [`Fix the line '${beginMarker}' and its end marker by hand, or delete both`],
    })
  }
  return {
    path,
    action: plan.action,
    write: async () => {
      if ('bytes' in plan) await writeOutputFile(place, plan.bytes, { layout })
    },
  }
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  const found = readSmallFile(path, fileBytesMax)
  if (found === null || !('unread' in found)) return found
  throw new StorageError(`cannot read ${path}: ${found.unread}`, { details: { path, bytes_max: fileBytesMax } })
}
