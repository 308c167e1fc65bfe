/** Opens the record streams of a repository. Loaded on first use: commands of the tracker need none of it. */
import { join } from 'node:path'
import { type StreamDamage, StreamStore } from '../../wal/streams/index.ts'
import type { Clock, Random, Warning } from '../effects.ts'
import type { SharedRepository } from '../shared-repository.ts'
import { readOrMakeCloneId } from './clone-id.ts'
import { portWithUpkeep } from './upkeep.ts'

export interface StreamEffects {
  readonly clock: Clock
  readonly random: Random
  readonly warn: (warning: Warning) => void
}

export function openStreams(shared: SharedRepository, { clock, random, warn }: StreamEffects): StreamStore {
  const { paths } = shared
  let cloneId: ReturnType<typeof readOrMakeCloneId> | undefined
  return new StreamStore({
    git: portWithUpkeep(shared),
    folder: join(paths.home, 'streams'),
    permissions: paths.permissions,
    cloneId: () => {
      cloneId ??= readOrMakeCloneId(join(paths.home, 'clone'), paths.permissions)
      return cloneId
    },
    clock,
    random: random.bytes,
    warn: (damage) => warn({ code: 'stream-damage', message: describeDamage(damage), details: { ...damage } }),
  })
}

export function describeDamage({ streamId, ref, objectId, file, bytePosition, offsets, reason }: StreamDamage): string {
  const place = streamId === null ? (ref ?? file ?? 'a stream') : `stream ${streamId}`
  const where = [
    offsets === null ? null : `records ${offsets.from} to ${offsets.to - 1}`,
    objectId === null ? null : `object ${objectId}`,
    file === null ? null : `${file}${bytePosition === null ? '' : ` at byte ${bytePosition}`}`,
  ].filter((each) => each !== null)
  return `${place}${where.length === 0 ? '' : ` (${where.join(', ')})`}: ${reason}`
}
