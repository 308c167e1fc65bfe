/** From when to when a changelog goes. */
import { findNewestTag, findRevision } from '../../git/index.ts'
import { GitNotFoundError, InvalidArgsError, NotFoundError, parseAge, parseTimeSpan } from '../../model/index.ts'
import type { Workspace } from '../workspace.ts'

/** A named moment. `tag` and `commit` are of the user's history; `start` is the beginning of the log. */
export interface Bound {
  readonly kind: 'tag' | 'commit' | 'time' | 'start' | 'now'
  /** As given, or the tag that was chosen; null for the start and for now. */
  readonly name: string | null
  readonly commit: string | null
  /** Null for the start. */
  readonly ts_unix_ms: number | null
}

export interface Bounds {
  readonly since: Bound
  readonly until: Bound
  /** Whether a moment is between them. */
  readonly holds: (tsUnixMs: number) => boolean
}

/** @throws {NotFoundError} | {InvalidArgsError} naming the option whose value is no moment, or an empty span of time */
export async function readBounds(
  repository: Workspace,
  given: { readonly since: string | undefined; readonly until: string | undefined },
  nowUnixMs: number,
): Promise<Bounds> {
  const until =
    given.until === undefined
      ? ({ kind: 'now', name: null, commit: null, ts_unix_ms: nowUnixMs } as const)
      : await readBound(repository, 'until', given.until, nowUnixMs)
  const since =
    given.since === undefined
      ? await newestTag(repository, until)
      : await readBound(repository, 'since', given.since, nowUnixMs)
  const last = until.ts_unix_ms ?? nowUnixMs
  const start = since.ts_unix_ms ?? Number.NEGATIVE_INFINITY
  const first = since.kind === 'time' ? start : start + 1
  if (start - 999 > last) {
    throw new InvalidArgsError(
      `--since ${since.name} is later than ${until.name === null ? 'now' : `--until ${until.name}`}`,
      {
        details: { field: 'since', value: since.name, until: until.name },
      },
    )
  }
  // Events of clones whose clocks are ahead count as well.
  const isPast = (tsUnixMs: number) => until.kind === 'now' || tsUnixMs <= last
  return { since, until, holds: (tsUnixMs) => tsUnixMs >= first && isPast(tsUnixMs) }
}

/** A tag wins over a time, which wins over a branch or a commit. */
async function readBound(
  repository: Workspace,
  option: 'since' | 'until',
  typed: string,
  nowUnixMs: number,
): Promise<Bound> {
  const text = typed.trim()
  const tsUnixMs = parseBound(option, text, nowUnixMs)
  const find = async (kind: 'tag' | 'commit', name: string): Promise<Bound | undefined> => {
    const { layout, git } = repository
    const found = await findRevision(layout, git.environment, name)
    if (found === undefined) return undefined
    return { kind, name: text, commit: found.commit, ts_unix_ms: endOfSecond(found.committedAtUnixSeconds) }
  }
  const tag = await find('tag', `refs/tags/${text}`).catch((error: unknown) => {
    if (error instanceof GitNotFoundError && tsUnixMs !== undefined) return undefined
    throw error
  })
  if (tag !== undefined) return tag
  if (tsUnixMs !== undefined) return { kind: 'time', name: text, commit: null, ts_unix_ms: tsUnixMs }
  const revision = await find('commit', text)
  if (revision !== undefined) return revision
  throw new NotFoundError(
    `--${option}: '${typed}' is no tag, branch or commit of this repository, and no date or age`,
    {
      details: {
        field: option,
        value: typed,
        allowed: ['a tag', 'a branch', 'a commit', 'YYYY-MM-DD', '<n>d', '<n>w'],
      },
      hints: ['`git tag` lists the tags; `git fetch --tags` gets those of a remote'],
    },
  )
}

/** A day counts from its first millisecond to its last. */
function parseBound(option: 'since' | 'until', text: string, nowUnixMs: number): number | undefined {
  const age = parseAge(text)
  if (age !== undefined) return nowUnixMs - age
  const span = parseTimeSpan(text)
  if (span === undefined) return undefined
  return option === 'since' ? span.first : span.last
}

async function newestTag({ layout, git }: Workspace, until: Bound): Promise<Bound> {
  const last = until.ts_unix_ms ?? 0
  const found = await findNewestTag(layout, git.environment, {
    from: until.commit ?? 'HEAD',
    isWanted: ({ commit, committedAtUnixSeconds }) => commit !== until.commit && committedAtUnixSeconds * 1000 <= last,
  })
  if (found === undefined) return { kind: 'start', name: null, commit: null, ts_unix_ms: null }
  const { tag, commit, committedAtUnixSeconds } = found
  return { kind: 'tag', name: tag, commit, ts_unix_ms: endOfSecond(committedAtUnixSeconds) }
}

/** git dates commits by whole seconds; what was closed in the second of a commit belongs to it. */
const endOfSecond = (unixSeconds: number): number => unixSeconds * 1000 + 999
