/** The files of a repository that may have facts, as git lists them, and those that have none by their name or kind. */
import { createGitRunner, findRevision, type GitPort, type Oid } from '../../git/index.ts'
import { InvalidArgsError, type Language, languageOf } from '../../model/index.ts'
import type { LeftOut } from './parse-messages.ts'
import { sourceBytesMax } from './read-source.ts'

export interface Source {
  /** From the top of the work tree, with slashes. */
  readonly path: string
  readonly language: Language
  /** The content as git has it; null where the file of the work tree may differ. */
  readonly blob: Oid | null
  /** Whether the file is in the work tree, from which its content is read. */
  readonly isOnDisk: boolean
}

export interface Sources {
  readonly sources: readonly Source[]
  /** Paths that are left out, by the reason. */
  readonly leftOut: ReadonlyMap<string, LeftOut>
}

export interface ListOptions {
  /** Only files at or below these paths, from the top of the work tree; empty for all. */
  readonly paths: readonly string[]
  /** Only paths that match; null for all. */
  readonly pattern: RegExp | null
}

const literal = { GIT_LITERAL_PATHSPECS: '1' }
/** Paths of other bytes cannot be text in an event. */
const replacement = '�'

/** Lists the tracked files of the work tree. */
export async function listWorkTree(
  { layout, environment }: GitPort,
  workTree: string,
  options: ListOptions,
): Promise<Sources> {
  const git = createGitRunner(layout, environment)
  const at = { cwd: workTree, environment: { ...literal, GIT_WORK_TREE: workTree } }
  const [listed, differing] = await Promise.all([
    git.run(['ls-files', '-z', '--stage', '--full-name', '-t', '--', ...options.paths], at),
    git.run(['diff-files', '-z', '--name-status', '--no-renames', '--ignore-submodules', '--', ...options.paths], at),
  ])
  const changes = parseChanges(differing.stdout)
  const entries: ListedEntry[] = []
  for (const line of listed.stdout.toString('utf8').split('\0')) {
    const [, tag = '', mode = '', oid = '', path = ''] = /^(.) (\d+) ([0-9a-f]+) \d\t([\s\S]*)$/.exec(line) ?? []
    // Not checked out, so git's content is the file; or in conflict, listed several times.
    const change = tag === 'S' ? undefined : changes.get(path)
    if (path === '' || change === 'D' || path === entries.at(-1)?.path) continue
    entries.push({ path, mode, blob: change === undefined ? (oid as Oid) : null, size: null, isOnDisk: tag !== 'S' })
  }
  return sift(await leaveOutByAttribute(git, at, entries), options)
}

/** Lists the files of a commit. @throws {InvalidArgsError} when git knows no such commit */
export async function listRevision(
  { layout, environment }: GitPort,
  rev: string,
  options: ListOptions,
): Promise<Sources> {
  const revision = await findRevision(layout, environment, rev)
  if (revision === undefined) {
    throw new InvalidArgsError(`--rev must be a commit of this repository, got '${rev}'`, {
      details: { field: 'rev', value: rev, allowed: 'a commit of this repository' },
    })
  }
  const git = createGitRunner(layout, environment)
  const args = ['ls-tree', '-r', '-z', '-l', '--full-tree', revision.commit, '--', ...options.paths]
  const { stdout } = await git.run(args, { environment: literal })
  const entries = stdout
    .toString('utf8')
    .split('\0')
    .flatMap((line): ListedEntry[] => {
      const [, mode = '', oid = '', size = '', path = ''] = /^(\d+) \w+ ([0-9a-f]+) +(\S+)\t([\s\S]*)$/.exec(line) ?? []
      return path === ''
        ? []
        : [{ path, mode, blob: oid as Oid, size: size === '-' ? null : Number(size), isOnDisk: false }]
    })
  const { workTree } = layout
  if (workTree === null) return sift({ entries, leftOut: new Map() }, options)
  const at = { cwd: workTree, environment: { ...literal, GIT_WORK_TREE: workTree } }
  return sift(await leaveOutByAttribute(git, at, entries), options)
}

interface ListedEntry {
  readonly path: string
  readonly mode: string
  readonly blob: Oid | null
  readonly size: number | null
  readonly isOnDisk: boolean
}

interface Sifted {
  readonly entries: readonly ListedEntry[]
  readonly leftOut: ReadonlyMap<string, LeftOut>
}

/** Status letter of each file that differs from the index. */
function parseChanges(stdout: Buffer): Map<string, string> {
  const fields = stdout.toString('utf8').split('\0')
  const changes = new Map<string, string>()
  for (let index = 0; index + 1 < fields.length; index += 2) {
    changes.set(fields[index + 1] as string, fields[index] as string)
  }
  return changes
}

/** Asks git for the attributes of files that have a language. */
async function leaveOutByAttribute(
  git: ReturnType<typeof createGitRunner>,
  at: { readonly cwd: string; readonly environment: Readonly<Record<string, string>> },
  entries: readonly ListedEntry[],
): Promise<Sifted> {
  const paths = entries.map(({ path }) => path).filter((path) => languageOf(path) !== null)
  if (paths.length === 0) return { entries, leftOut: new Map() }
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(''), 'utf8')
  const { stdout } = await git.run(['check-attr', '-z', '--stdin', 'linguist-generated', 'diff'], { ...at, input })
  const fields = stdout.toString('utf8').split('\0')
  const leftOut = new Map<string, LeftOut>()
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const [path = '', name, value] = fields.slice(index, index + 3)
    if (name === 'diff' && value === 'unset') leftOut.set(path, 'no-diff')
    if (name === 'linguist-generated' && (value === 'set' || value === 'true')) leftOut.set(path, 'generated')
  }
  return { entries, leftOut }
}

function sift({ entries, leftOut: byAttribute }: Sifted, { pattern }: ListOptions): Sources {
  const sources: Source[] = []
  const leftOut = new Map<string, LeftOut>()
  for (const { path, mode, blob, size, isOnDisk } of entries) {
    if (pattern !== null && !pattern.test(path)) continue
    const language = languageOf(path)
    const reason = reasonByMode(mode) ?? (language === null ? 'language' : (byAttribute.get(path) ?? null))
    if (reason !== null) leftOut.set(path, reason)
    else if (path.includes(replacement)) leftOut.set(path, 'path')
    else if (size !== null && size > sourceBytesMax) leftOut.set(path, 'large')
    else if (language !== null) sources.push({ path, language, blob, isOnDisk })
  }
  return { sources, leftOut }
}

function reasonByMode(mode: string): LeftOut | null {
  if (mode === '120000') return 'symlink'
  return mode === '160000' ? 'submodule' : null
}
