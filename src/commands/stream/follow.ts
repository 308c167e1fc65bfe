import { NotFoundError } from '../../model/index.ts'
import { writeSetting } from '../../tracker/local/repo-config.ts'
import { withPattern } from '../../tracker/streams/follow-list.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

const settingKey = 'streams.follow'

export const streamFollow = defineCommand({
  name: 'stream follow',
  summary: 'Fetch a stream with every fetch of streams',
  description:
    'Adds an id, or a pattern in which * stands for any characters, to the streams that `grite stream fetch` and ' +
    '`grite sync --streams` bring here. A pattern fetches all streams of the remote to find those that match. Without an ' +
    'argument, lists what this clone follows.',
  examples: [
    { command: 'grite stream follow build/42', explains: 'one stream' },
    { command: "grite stream follow 'agent/*'", explains: 'every stream below a name' },
  ],
  effect: 'sets',
  arguments: { stream: { summary: 'An id, or a pattern with *', optional: true } },
  options: {},
  async run(context, input) {
    const repository = await context.repository()
    const { follow } = (await repository.config()).streams
    if (input.stream === undefined) return { data: followData('unchanged', follow) }
    const next = withPattern(follow, input.stream)
    if (next === follow) return { data: followData('unchanged', follow) }
    await writeSetting(repository.paths, settingKey, next)
    return { data: followData('changed', next) }
  },
})

const followData = (outcome: 'changed' | 'unchanged', follow: readonly string[]) => ({ outcome, follow })

export type StreamFollowInput = GivenInput<typeof streamFollow>
export type StreamFollowData = DataOf<typeof streamFollow>

export const streamUnfollow = defineCommand({
  name: 'stream unfollow',
  summary: 'Stop fetching a stream',
  description: 'Takes an id or pattern from the list of followed streams. What was fetched stays.',
  examples: [{ command: 'grite stream unfollow build/42', explains: 'keeps its records here as they are' }],
  effect: 'sets',
  arguments: { stream: { summary: 'An id or pattern, as it was followed' } },
  options: {},
  async run(context, input) {
    const repository = await context.repository()
    const { follow } = (await repository.config()).streams
    const next = follow.filter((pattern) => pattern !== input.stream)
    if (next.length === follow.length) {
      throw new NotFoundError(`this clone does not follow '${input.stream}'`, {
        details: { field: 'stream', value: input.stream, allowed: follow },
      })
    }
    await writeSetting(repository.paths, settingKey, next.length === 0 ? null : next)
    return { data: followData('changed', next) }
  },
})

export type StreamUnfollowInput = GivenInput<typeof streamUnfollow>
export type StreamUnfollowData = DataOf<typeof streamUnfollow>
