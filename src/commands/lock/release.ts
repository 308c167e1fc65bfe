import { showRemote } from '../../git/index.ts'
import { releaseLock } from '../../tracker/locks/hold.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { findHeld, placeAt, placeOptions, resourceArgument, resourceOption } from './lock-input.ts'

export const lockRelease = defineCommand({
  name: 'lock release',
  summary: 'Release a lock',
  description: 'Only the holder can release a lock. Releasing a free lock is a no-op.',
  examples: [{ command: 'grite lock release path:src/parser', explains: 'let others acquire it' }],
  served: { unless: ['remote'] },
  effect: 'sets',
  arguments: resourceArgument,
  options: { ...resourceOption, ...placeOptions },
  async run(context, input) {
    const repository = await context.repository()
    const { where, resource } = await findHeld(repository, input)
    const place = placeAt(repository, where)
    const { changed, lock } = await releaseLock(repository, place, resource)
    return {
      data: {
        resource,
        released: true,
        outcome: changed ? 'released' : 'unchanged',
        owner: lock?.owner ?? null,
        level: place.level,
        remote: place.remote && showRemote(place.remote),
        fence: lock?.fence ?? null,
      },
    }
  },
})

export type LockReleaseInput = GivenInput<typeof lockRelease>
export type LockReleaseData = DataOf<typeof lockRelease>
