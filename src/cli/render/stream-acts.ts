/** Acts on whole streams, for people. */
import type {
  StreamCheckpointCreateData,
  StreamCheckpointListData,
  StreamCheckpointVerifyData,
} from '../../commands/stream/checkpoint.ts'
import type {
  StreamDeleteData,
  StreamPurgeData,
  StreamRetainData,
  StreamTakeoverData,
} from '../../commands/stream/ends.ts'
import type { StreamMergeData } from '../../commands/stream/merge.ts'
import type { StreamProofData, StreamVerifyProofData } from '../../commands/stream/proof.ts'
import type { StreamVerifyData } from '../../commands/stream/verify.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatRelativeTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'

export const renderStreamMerge: Renderer<StreamMergeData> = (data, { quiet, style }) => {
  const preview = data.action === 'previewed'
  if (quiet && !preview) return ''
  const verb = preview ? 'Would merge' : style.good('Merged')
  const where = data.records === 0 ? '' : `, from offset ${data.first_offset} on`
  const from = data.bases.map(({ stream, offset }) => `${escapeLine(stream)}${offset === null ? '' : `@${offset}`}`)
  const lines = data.rows.map(({ kind, records, ranges }) => {
    const parts = ranges.map(({ stream, from: first, to }) => `${escapeLine(stream)} ${first} to ${to}`)
    return `  ${kind === 'interleave' ? `${formatCount(records, 'record')} by time: ` : ''}${parts.join(', ')}\n`
  })
  return [
    `${verb} ${formatCount(data.records, 'record')} into ${style.accent(escapeLine(data.stream))}${where}\n`,
    ...lines,
    from.length === 0 ? '' : style.dim(`  base ${from.join(', ')}\n`),
  ].join('')
}

export const renderStreamCheckpointCreate: Renderer<StreamCheckpointCreateData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const signed = data.key === null ? ', not signed: the actor has no key' : ', signed'
  return `${style.good('Checkpoint')} of ${style.accent(escapeLine(data.stream))} at ${formatCount(data.next_offset, 'record')}${signed}\n  root ${data.root}\n`
}

type Checkpoint = StreamCheckpointListData['checkpoints'][number]

function checkpointLine(
  { commit, kind, next_offset, created_ts, actor, reason }: Checkpoint,
  view: RenderView,
): string {
  const { style, nowUnixMs } = view
  const by = actor === null ? '' : ` by ${shorten(actor)}`
  const why = reason === null ? '' : `: ${escapeLine(reason)}`
  return `${shorten(commit)} ${style.accent(escapeLine(kind))} at ${formatCount(next_offset, 'record')}, ${formatRelativeTime(created_ts, nowUnixMs)}${by}${why}`
}

export const renderStreamCheckpointList: Renderer<StreamCheckpointListData> = ({ checkpoints }, view) => {
  if (checkpoints.length === 0) return view.quiet || view.width === null ? '' : 'No checkpoints.\n'
  return checkpoints.map((each) => `${checkpointLine(each, view)}\n`).join('')
}

export const renderStreamCheckpointVerify: Renderer<StreamCheckpointVerifyData> = ({ checkpoints }, view) => {
  const { style, quiet, width } = view
  if (checkpoints.length === 0) return quiet || width === null ? '' : 'No checkpoints.\n'
  return checkpoints
    .map((each) => {
      const isOther = each.key_owner === 'other'
      const isWrong = each.signature === 'wrong' || isOther || each.fault !== null
      if (quiet && !isWrong) return ''
      const fault =
        each.fault ?? (isOther ? "it is signed with a key that is not the actor's" : 'the signature is wrong')
      const unknown = each.key_owner === 'unknown' ? ', but nobody here knows whose key it is' : ''
      const unsigned = each.signature === 'none' ? ', not signed' : unknown
      const verdict = isWrong ? style.bad(`wrong: ${escapeLine(fault)}`) : style.good(`valid${unsigned}`)
      return `${checkpointLine(each, view)}: ${verdict}\n`
    })
    .join('')
}

/** The document itself: it is meant for a file. */
export const renderStreamProof: Renderer<StreamProofData> = (data) => `${JSON.stringify(data)}\n`

export const renderStreamVerifyProof: Renderer<StreamVerifyProofData> = (data, { quiet, style }) => {
  if (!data.valid) return `${style.bad('Wrong')}: ${escapeLine(data.fault ?? '')}\n`
  if (quiet) return ''
  return `${style.good('Valid')}: record ${data.offset} of ${style.accent(escapeLine(data.stream ?? ''))}, for the root\n  ${data.root}\n`
}

/** Further problems are counted; `--json` lists all. */
const problemsShownMax = 50

export const renderStreamVerify: Renderer<StreamVerifyData> = ({ problem_count, problems, streams }, view) => {
  const { quiet, style } = view
  const records = streams.reduce((count, each) => count + each.records + each.unsealed_records, 0)
  const ids = new Set(streams.map(({ stream }) => stream))
  const checked = `${formatCount(records, 'record')} of ${formatCount(ids.size, 'stream')} checked`
  if (problem_count === 0) return quiet ? '' : `${style.good('Sound')}: ${checked}.\n`
  const rest = problem_count - problemsShownMax
  return [
    `${style.bad('Damaged')}: ${formatCount(problem_count, 'fault')}, ${checked}. The rest is readable.\n`,
    ...problems.slice(0, problemsShownMax).map(({ message }) => `  ${escapeLine(message)}\n`),
    rest > 0 ? `  and ${rest} more\n` : '',
  ].join('')
}

export const renderStreamTakeover: Renderer<StreamTakeoverData> = ({ stream, epoch, outcome }, { quiet, style }) => {
  if (quiet) return ''
  if (outcome === 'unchanged') return `${style.accent(escapeLine(stream))} is written by this clone already\n`
  return `${style.good('Took over')} ${style.accent(escapeLine(stream))}, epoch ${epoch}\n`
}

export const renderStreamDelete: Renderer<StreamDeleteData> = ({ stream }, { quiet, style }) =>
  quiet
    ? ''
    : `${style.good('Deleted')} ${style.accent(escapeLine(stream))}\n` +
      style.dim('Its records stay until `grite stream purge`; what was pushed stays elsewhere.\n')

export const renderStreamPurge: Renderer<StreamPurgeData> = (data, { quiet, style }) => {
  const preview = data.action === 'previewed'
  if (quiet && !preview) return ''
  const refs = formatCount(preview ? data.generations.length : data.removed.length, 'ref')
  const needed = data.dependants.map(({ kind, name }) => `  ${kind} ${escapeLine(name)}\n`)
  return [
    `${preview ? 'Would purge' : style.good('Purged')} ${style.accent(escapeLine(data.stream))}: ${refs}\n`,
    ...(needed.length === 0 ? [] : ['Depends on it:\n', ...needed]),
  ].join('')
}

export const renderStreamRetain: Renderer<StreamRetainData> = (data, { quiet, style }) => {
  const preview = data.action === 'previewed'
  if (quiet && !preview) return ''
  const name = style.accent(escapeLine(data.stream))
  if (data.not_compacted !== null) {
    const kind = data.not_compacted === 'branch' ? 'a branch' : 'a merged stream'
    return `Nothing to drop from ${name}; the segments of ${kind} are joined only when some are dropped\n`
  }
  if (data.outcome === 'unchanged') return `Nothing to drop from ${name}\n`
  const commits = `${formatCount(data.commits_before, 'commit')} ${preview ? 'would become' : 'became'} ${data.commits_after}`
  const verb = preview ? 'Would drop' : style.good('Dropped')
  return `${verb} ${formatCount(data.dropped, 'record')} of ${name}; ${commits}\n`
}
