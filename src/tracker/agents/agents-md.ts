import { join } from 'node:path'
import { type RepositoryLayout, readSmallFile } from '../../git/index.ts'
import { ConflictError, InvalidArgsError, StorageError } from '../../model/index.ts'
import { findPlace } from '../local/find-place.ts'
import { writeOutputFile } from '../local/write-file-atomically.ts'
import { formatGuide } from './guide.ts'
import { beginMarker, planSection } from './managed-section.ts'

const fileName = 'AGENTS.md'
/** No instructions for agents are as long; a larger file is something else. */
const fileBytesMax = 8 * 1024 * 1024

/** A change of AGENTS.md that was found to be possible and is not made yet. */
export interface AgentsMdChange {
  readonly path: string
  readonly action: 'created' | 'updated' | 'unchanged' | 'skipped'
  readonly write: () => Promise<void>
}

/**
 * Looks what is to be done that AGENTS.md at the top of the work tree holds the guide. Writes nothing yet.
 * @throws {InvalidArgsError} in a bare repository
 * @throws {ConflictError} when the file is a link that leads out of the work tree, or its markers are broken
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
    throw new ConflictError(`${path} was left as it is: ${plan.reason}`, {
      details: { path, reason: plan.reason },
      hints: [`Repair the lines with '${beginMarker}' and its end by hand, or take them out`],
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
