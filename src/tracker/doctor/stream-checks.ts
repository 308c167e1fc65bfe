import { showRemote } from '../../git/index.ts'
import { makeVisible, shellCommand } from '../../model/index.ts'
import { findDivergedRefs } from '../../wal/streams/index.ts'
import { describeDamage } from '../streams/open-streams.ts'
import { type Check, count, idsListedMax, nameSome, ok } from './check.ts'

export const recordStreams: Check = {
  id: 'record_streams',
  async look(examination) {
    const { streams, damagedHeads } = await examination.streams()
    const [first] = damagedHeads
    if (first === undefined) return ok(count(streams.length, 'record stream'))
    return {
      status: 'error',
      message: `${count(damagedHeads.length, 'ref of a stream', 'refs of streams')} cannot be read: ${first.reason}`,
      plan: ['fetch the stream again from a remote that has it; every other stream stays readable'],
      details: { refs: damagedHeads.slice(0, idsListedMax).map(({ ref, objectId }) => ({ ref, object_id: objectId })) },
    }
  },
}

export const streamJournals: Check = {
  id: 'stream_journals',
  async look(examination) {
    const { damagedJournals, orphans, journalCount, unsealedRecords } = await examination.streams()
    const problems = [
      ...damagedJournals.map((damage) => describeDamage(damage)),
      ...orphans.map((file) => `journal ${file} is of a stream without a ref`),
    ]
    const [first] = problems
    if (first === undefined) {
      return ok(`${count(journalCount, 'journal')} with ${count(unsealedRecords, 'record')} not sealed`)
    }
    return {
      status: 'error',
      message: `${count(problems.length, 'fault')} in the journals of streams: ${nameSome(problems, problems.length, 1)}`,
      plan: ['journals hold records that are nowhere else: keep the files; every whole record in them stays readable'],
      details: { problems: problems.slice(0, idsListedMax) },
    }
  },
}

/** Streams that this clone and a remote have continued differently, as of the last fetch, or a ref and its journal. */
export const divergedStreams: Check = {
  id: 'diverged_streams',
  async look(examination) {
    const { repository } = examination
    const { streams, diverged } = await examination.streams()
    const found = diverged.map(({ stream, divergence }) => ({
      ...{ stream: stream.streamId, remote: null as string | null, reason: divergence.reason },
    }))
    for (const remote of await repository.remotes.listRemotes()) {
      for (const { stream, theirs } of await findDivergedRefs(repository.git, remote, streams)) {
        const reason = `it is at ${stream.head} here, and at ${theirs} on '${showRemote(remote)}'`
        found.push({ stream: stream.streamId, remote: showRemote(remote), reason })
      }
    }
    const [first] = found
    if (first === undefined) return ok('no stream has diverged')
    const ids = [...new Set(found.map(({ stream }) => stream))]
    const blocks = found.some(({ remote }) => remote !== null) ? '; grite 0.5 can push nothing until it is rescued' : ''
    return {
      status: 'error',
      message: `${count(ids.length, 'stream has', 'streams have')} diverged: ${makeVisible(first.stream)}: ${first.reason}${blocks}`,
      plan: ids
        .slice(0, idsListedMax)
        .map((id) => `run \`${rescueOf(id)}\`: what only this clone has becomes a branch`),
      details: { streams: found.slice(0, idsListedMax) },
    }
  },
}

/** An id may begin with a dash. */
const rescueOf = (id: string): string => shellCommand('grite', 'stream', 'rescue', '--', id)
