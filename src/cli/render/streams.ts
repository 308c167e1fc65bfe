/** Record streams for people. */
import type { StreamBranchData } from '../../commands/stream/branch.ts'
import type { StreamCreateData } from '../../commands/stream/create.ts'
import type { StreamLineageData } from '../../commands/stream/lineage.ts'
import type { StreamListData } from '../../commands/stream/list.ts'
import type { StreamSealData } from '../../commands/stream/seal.ts'
import type { StreamShowData } from '../../commands/stream/show.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { type Fact, formatBytes, formatCount, formatNumber, renderFacts } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatAbsoluteTime, formatMinute, formatRelativeTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { formatRecordLine } from './stream-records.ts'
import { type Column, renderTable } from './table.ts'

type ListedStream = StreamListData['streams'][number]

export const renderStreamCreate: Renderer<StreamCreateData> = ({ stream }, { quiet, style }) =>
  quiet
    ? ''
    : `${style.good('Created')} ${style.accent(escapeLine(stream))}\n` +
      style.dim('What is appended stays; what is pushed cannot be erased elsewhere.\n')

export const renderStreamBranch: Renderer<StreamBranchData> = ({ stream, parents, fork_offset }, { quiet, style }) => {
  if (quiet) return ''
  const parent = escapeLine(parents[0]?.stream ?? '')
  const where = fork_offset === null ? `${parent}, before its first record` : `${parent}@${fork_offset}`
  return `${style.good('Branched')} ${style.accent(escapeLine(stream))} from ${where}\n`
}

export const renderStreamSeal: Renderer<StreamSealData> = ({ stream, records, commits }, { quiet, style }) => {
  if (quiet) return ''
  const name = style.accent(escapeLine(stream))
  if (records === 0) return `Nothing to seal in ${name}\n`
  return `${style.good('Sealed')} ${name}: ${formatCount(records, 'record')} in ${formatCount(commits.length, 'commit')}\n`
}

export const renderStreamList: Renderer<StreamListData> = async ({ streams, total }, view) => {
  const { quiet, width, style } = view
  if (streams.length === 0) {
    if (quiet || width === null) return ''
    return 'No streams. Run `grite stream create <id>` to create one.\n'
  }
  const table = await renderTable(streams, listColumns(view), view)
  const isCut = total > streams.length && !quiet && width !== null
  return isCut ? `${table}${style.dim(`${formatNumber(streams.length)} of ${formatNumber(total)} streams\n`)}` : table
}

function listColumns({ style, nowUnixMs }: RenderView): readonly Column<ListedStream>[] {
  return [
    { heading: 'Stream', text: ({ stream }) => stream, paint: style.accent, shrink: 1, widthMin: 12 },
    {
      heading: 'Records',
      text: ({ next_offset, oldest_offset }) => formatNumber(next_offset - oldest_offset),
      plainText: ({ next_offset, oldest_offset }) => `${next_offset - oldest_offset}`,
      align: 'right',
    },
    { heading: 'From', text: originOf, shrink: 2, drop: 2 },
    {
      heading: 'Created',
      text: ({ created_ts }) => formatRelativeTime(created_ts, nowUnixMs),
      plainText: ({ created_ts }) => formatAbsoluteTime(created_ts),
      drop: 1,
    },
    { heading: 'State', text: stateOf, plainText: ({ state }) => state },
    { heading: 'Labels', text: ({ labels }) => formatLabels(labels), shrink: 3, drop: 3 },
  ]
}

/** `build/42@7`, for a merge all sources. */
function originOf({ parents }: Pick<ListedStream, 'parents'>): string {
  return parents.map(({ stream, fork_offset }) => `${stream}${fork_offset === null ? '' : `@${fork_offset}`}`).join(' ')
}

/** Empty for a stream to which this clone may append. */
function stateOf({ state, owner }: Pick<ListedStream, 'state' | 'owner'>): string {
  if (state !== 'live') return state
  return owner === 'foreign' ? 'of another clone' : ''
}

const formatLabels = (labels: ListedStream['labels']): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')

export const renderStreamShow: Renderer<StreamShowData> = (data, view) => {
  const { style, nowUnixMs } = view
  const count = data.next_offset - data.oldest_offset
  const ranges = count === 0 ? 'none yet' : `${formatNumber(count)} (${data.oldest_offset} to ${data.next_offset - 1})`
  const unsealed =
    data.unsealed_records === 0
      ? null
      : `${formatCount(data.unsealed_records, 'record')}, ${formatBytes(data.unsealed_bytes)}, in the journal`
  const facts: readonly Fact[] = [
    ['State', stateOf(data)],
    ['Records', ranges],
    ['Not sealed', unsealed],
    [data.kind === 'merge' ? 'Merged' : 'From', originOf(data)],
    ['Created', `${formatMinute(data.created_ts)}, ${formatRelativeTime(data.created_ts, nowUnixMs)}`],
    ['By', data.actor === null ? null : shorten(data.actor)],
    ['Reason', data.reason],
    ['Labels', formatLabels(data.labels)],
    ['Retention', formatRetention(data.retention)],
    ['Head', data.head],
    ['Root', data.root],
    ['Generation', data.generation === 0 ? null : data.generation],
    ['Epoch', data.epoch],
  ]
  const newest = data.newest.map((record) => `  ${formatRecordLine(record, view)}\n`)
  return [
    `${style.bold(style.accent(escapeLine(data.stream)))}\n`,
    renderFacts(facts, view),
    ...data.damage.map(({ message }) => `${style.bad('Damaged:')} ${escapeLine(message)}\n`),
    data.divergence === null
      ? ''
      : `${style.bad('Diverged:')} ${escapeLine(data.divergence.reason)}, from offset ${data.divergence.offset} on\n`,
    ...(newest.length === 0 ? [] : ['\n', ...newest]),
  ].join('')
}

const dayMs = 86_400_000

function formatRetention(policy: StreamShowData['retention']): string | null {
  if (policy === null) return null
  const { max_age_ms, max_bytes, max_count } = policy
  const parts = [
    max_age_ms === null ? null : `${Math.round((max_age_ms / dayMs) * 10) / 10} days`,
    max_bytes === null ? null : formatBytes(max_bytes),
    max_count === null ? null : formatCount(max_count, 'record'),
  ]
  return `drops whole segments beyond ${parts.filter((part) => part !== null).join(', ')}`
}

type Relative = StreamLineageData['ancestors'][number]

export const renderStreamLineage: Renderer<StreamLineageData> = (data, { style, width, quiet }) => {
  const line = (role: string, { stream, depth, fork_offset, parent, is_here }: Relative): string => {
    const at = fork_offset === null ? 'before the first record' : `at ${fork_offset}`
    if (width === null)
      return `${[role, depth, escapeLine(stream), fork_offset ?? '', escapeLine(parent)].join('\t')}\n`
    const whose = role === 'descendant' ? ` of ${escapeLine(parent)}` : ''
    const note = is_here ? '' : ', not in this clone'
    return `  ${'  '.repeat(depth - 1)}${style.accent(escapeLine(stream))} ${style.dim(`${at}${whose}${note}`)}\n`
  }
  const part = (title: string, role: string, relatives: readonly Relative[]): string => {
    if (relatives.length === 0) return ''
    const lines = relatives.map((each) => line(role, each)).join('')
    return width === null ? lines : `${style.bold(title)}\n${lines}`
  }
  const text = part('Ancestors', 'ancestor', data.ancestors) + part('Descendants', 'descendant', data.descendants)
  if (text !== '' || quiet || width === null) return text
  return `${escapeLine(data.stream)} has neither ancestors nor descendants.\n`
}
