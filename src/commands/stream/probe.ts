import { showRemote } from '../../git/index.ts'
import { formatHex } from '../../model/index.ts'
import { reachRemote } from '../../tracker/streams/reach-remote.ts'
import { chooseHomeRemote, chooseRemote } from '../../tracker/sync/remote-name.ts'
import { probe } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { remoteOption } from './stream-input.ts'

export const streamProbe = defineCommand({
  name: 'stream probe',
  summary: 'Prove what the disk and a remote can do',
  description:
    'Tries on the disk of this clone and on a remote what record streams rely on: flushed files, refs that only one of two ' +
    'writers can move, atomic pushes, filtered fetches and the largest record. It uses refs of its own and ' +
    'deletes them. Exits with status 1 when something is missing that streams cannot work without. Without a remote it ' +
    'probes the disk alone.',
  examples: [{ command: 'grite stream probe', explains: 'before the first publish to a new host' }],
  effect: 'sets',
  arguments: {},
  options: { remote: remoteOption },
  async run(context, input) {
    const repository = await context.repository()
    const remote =
      input.remote === undefined
        ? await chooseHomeRemote(repository)
        : await chooseRemote(repository, context.cwd, input.remote)
    const name = formatHex(context.random.bytes(8))
    const { git } = repository
    const { rows, leftRefs } =
      remote === undefined
        ? await probe({ git, name, remote: null })
        : await reachRemote(context, repository, remote, 'Probing', async (place) => {
            return await probe({ git, name, remote: { ...place, signal: context.interrupted } })
          })
    if (leftRefs.length > 0) {
      const shown = showRemote(remote?.name ?? '')
      const message = `'${shown}' did not delete refs of the probe: ${leftRefs.join(', ')}`
      context.warn({ code: 'probe-refs-left', message, details: { remote: shown, refs: leftRefs } })
    }
    const isAble = rows.every(({ outcome, isEssential }) => outcome === 'ok' || !isEssential)
    const checks = rows.map(({ isEssential, ...row }) => ({ ...row, essential: isEssential }))
    return {
      data: {
        /** Null when only the disk was probed. */
        remote: remote === undefined ? null : showRemote(remote.name),
        /** Whether everything essential works. */
        able: isAble,
        checks,
      },
      exitStatus: isAble ? 0 : 1,
    }
  },
})

export type StreamProbeInput = GivenInput<typeof streamProbe>
export type StreamProbeData = DataOf<typeof streamProbe>
