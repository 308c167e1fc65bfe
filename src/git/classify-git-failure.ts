import {
  CorruptObjectError,
  GitError,
  type GriteError,
  NotFoundError,
  RefLockedError,
  RefMovedError,
  RepositoryRefusedError,
  StorageError,
  shellCommand,
  shellWord,
} from '../model/errors/index.ts'
import { objectsVanished } from './durable/storage-failure.ts'

/** How a git process ended. */
export interface GitFailure {
  /** The git command and its arguments. */
  readonly args: readonly string[]
  /** Null when a signal ended the process. */
  readonly exitStatus: number | null
  readonly signal: string | null
  readonly stderr: string
}

type Rule = readonly [pattern: RegExp, make: (match: RegExpExecArray, failure: GitFailure) => GriteError]

// test/git/classify-git-failure.test.ts provokes each line with real git. Messages are those of LC_ALL=C. Order
// matters: the cause (disk full) comes before its consequence (cannot lock ref).
const rules: readonly Rule[] = [
  // strerror(3) behind error_errno() and die_errno() anywhere in git.
  [
    /(No space left on device|Disk quota exceeded|Read-only file system|Permission denied|Input\/output error|Too many open files|Cannot allocate memory|Stale file handle)/,
    storage,
  ],
  // object-file.c: write_loose_object() and mkstemp, when the object directory is not writable.
  [/(insufficient permission for adding an object to repository database|unable to create temporary)/, storage],
  // setup.c: ensure_valid_ownership(), setup_git_directory_gently().
  [/detected dubious ownership in repository at '([\s\S]*?)'\n/, foreignOwner],
  [/cannot use bare repository '([\s\S]*?)' \(safe\.bareRepository is '(.*?)'\)/, unsafeBareRepository],
  // setup.c: read_gitfile_error_die().
  [
    /(?:(?:invalid gitfile format|no path in gitfile): (.*)|too large to be a \.git file: '(.*)'|error (?:opening|reading) '?(.*?\.git)'?(?:: .*)?$)/m,
    (match, failure) =>
      new RepositoryRefusedError(
        `${match[1] ?? match[2] ?? match[3]} is neither a git repository nor a valid .git file`,
        {
          details: details(failure),
          hints: ['Find out what wrote it; a valid one holds a line `gitdir: <path>`'],
        },
      ),
  ],
  // setup.c: read_gitfile_error_die(), setup_explicit_git_dir(); without a path setup_git_directory_gently(). git 2.55
  // prints a null pointer for a dangling .git file.
  [
    /not a git repository: \(null\)\s*$/,
    (_match, failure) =>
      new NotFoundError('a .git file does not point to a git repository', {
        details: { ...details(failure), path: null },
      }),
  ],
  [
    /not a git repository: '?([\s\S]*?)'?\s*$/,
    ([, path], failure) =>
      new NotFoundError(`${path} is not a git repository`, { details: { ...details(failure), path } }),
  ],
  [/not a git repository/, (_match, failure) => notFound('no git repository here', failure)],
  // setup.c: verify_repository_format().
  [
    /((?:unknown repository extensions? found|Expected git repo version|repo version is 0, but v1-only extension).*(?:\n\t.*)*)/,
    (match, failure) =>
      new RepositoryRefusedError(`git does not know the format of the repository: ${oneLine(match[1])}`, {
        details: details(failure),
        hints: ['Try a newer git; `git --version` shows yours'],
      }),
  ],
  // lockfile.c: unable_to_lock_message().
  [
    /cannot lock ref '(.*?)': Unable to create '(.*?)': File exists/,
    (match) => new RefLockedError(match[1] ?? '', match[2] ?? '', 0),
  ],
  [
    /Unable to create '(.*?\/packed-refs\.lock)': File exists/,
    (match) => new RefLockedError('packed-refs', match[1] ?? '', 0),
  ],
  // refs/files-backend.c and refs/reftable-backend.c: lock_ref_for_update(), check_old_oid().
  [
    /cannot lock ref '(.*?)': is at ([0-9a-f]+) but expected ([0-9a-f]+)/,
    (match) => new RefMovedError(match[1] ?? '', match[3] ?? null, match[2] ?? null),
  ],
  [/cannot lock ref '(.*?)': reference already exists/, (match) => new RefMovedError(match[1] ?? '', null, 'a ref')],
  [/cannot lock ref '(.*?)': unable to resolve reference/, (match) => new RefMovedError(match[1] ?? '', 'a ref', null)],
  [
    /cannot lock ref '(.*?)': reference is missing but expected ([0-9a-f]+)/,
    (match) => new RefMovedError(match[1] ?? '', match[2] ?? null, null),
  ],
  // refs/files-backend.c: write_ref_to_lockfile(); refs/reftable-backend.c.
  [
    /trying to write ref(?:erence)? '.*?' with nonexistent object ([0-9a-f]+)/,
    (match) => objectsVanished([match[1] ?? '']),
  ],
  // promisor-remote.c: promisor_remote_get_direct(), always refused here (see run-git.ts).
  [
    /could not fetch ([0-9a-f]+) from promisor remote/,
    (match, failure) => notFound(`object ${match[1]} is missing`, failure),
  ],
  // object-file.c: read_object_file_extended(); packfile.c: unpack_entry(); object.c: parse_object().
  [/(?:loose|packed) object ([0-9a-f]+) \(stored in .*?\) is corrupt/, corrupt],
  [/(?:hash mismatch|unable to unpack|unable to parse object:?|bad tree object) ([0-9a-f]{40,64})/, corrupt],
  // commit.c: repo_parse_commit_internal(), when a walk meets an unreadable commit.
  [
    /(?:Could not read|could not parse commit) ([0-9a-f]{40,64})$/m,
    (match, failure) => notFound(`object ${match[1]} is missing`, failure),
  ],
  // revision.c: handle_revision_arg(); builtin/merge-base.c; builtin/rev-parse.c; builtin/rev-list.c.
  [
    /(?:bad object|Not a valid (?:object|commit) name|Needed a single revision|bad revision) ?'?([^\s']*)/,
    (match, failure) => notFound(`object ${match[1]} is missing`, failure),
  ],
]

/**
 * Turns a failed git command into an error. Together with `classifyRemoteFailure`, the only place that reads git's
 * human-readable output.
 */
export function classifyGitFailure(failure: GitFailure): GriteError {
  for (const [pattern, make] of rules) {
    const match = pattern.exec(failure.stderr)
    if (match) return make(match, failure)
  }
  // Another program ended it: out of memory, a shutdown, a person.
  if (failure.signal !== null) {
    return new StorageError(`git ${commandOf(failure)} was killed by ${failure.signal}`, {
      details: details(failure),
      hints: ['Run the command again'],
    })
  }
  const end = `status ${failure.exitStatus}`
  const said = oneLine(failure.stderr)
  return new GitError(`git ${commandOf(failure)} failed with ${end}${said === '' ? '' : `: ${said}`}`, {
    details: details(failure),
  })
}

function storage(match: RegExpExecArray, failure: GitFailure): GriteError {
  return new StorageError(`git ${commandOf(failure)}: ${match[1]}`, { details: details(failure) })
}

function foreignOwner([, path = '']: RegExpExecArray, failure: GitFailure): GriteError {
  // A command cannot contain a name that is not UTF-8.
  const command = path.includes('\ufffd')
    ? 'add its path to safe.directory in your git configuration'
    : shellCommand('git', 'config', '--global', '--add', 'safe.directory', path)
  return new RepositoryRefusedError(`git refuses the repository at ${path}: it belongs to another user`, {
    details: { ...details(failure), path },
    hints: [`If you trust it: ${command}`],
  })
}

function unsafeBareRepository([, path = '', value]: RegExpExecArray, failure: GitFailure): GriteError {
  const named = path.includes('\ufffd') ? 'set GIT_DIR to its path' : `set GIT_DIR=${shellWord(path)}`
  return new RepositoryRefusedError(`git refuses the bare repository at ${path}: safe.bareRepository is '${value}'`, {
    details: { ...details(failure), path },
    hints: [`If you trust it, ${named}`],
  })
}

function corrupt(match: RegExpExecArray, failure: GitFailure): GriteError {
  const oid = match[1]
  return new CorruptObjectError(`object ${oid} is corrupt`, { details: { ...details(failure), oid } })
}

function notFound(message: string, failure: GitFailure): GriteError {
  return new NotFoundError(message, { details: details(failure) })
}

function details(failure: GitFailure): Record<string, unknown> {
  const { exitStatus, signal, stderr } = failure
  const ended = signal === null ? { exit_status: exitStatus } : { exit_status: exitStatus, signal }
  return { git_command: commandOf(failure), ...ended, stderr: stderr.slice(0, 2000) }
}

/** The git command without the settings before it. */
function commandOf({ args }: GitFailure): string {
  const start = args.findIndex((word, index) => word !== '-c' && args[index - 1] !== '-c')
  return args[start] ?? ''
}

function oneLine(text: string | undefined): string {
  return (text ?? '')
    .trim()
    .replace(/\s*\n\s*/g, '; ')
    .slice(0, 500)
}

/** Refs that `git for-each-ref` skipped because their files hold no id (ref-filter.c: filter_one()). */
export function namesBrokenRefs(stderr: string): string[] {
  return [...stderr.matchAll(/ignoring broken ref (\S+)/g)].map(([, ref = '']) => ref)
}

/** Whether a walk met an unreadable commit, which git may report without failing (revision.c, commit-reach.c). */
export function namesUnreadCommit(stderr: string): boolean {
  return /^error: Could not read [0-9a-f]{40,64}$/m.test(stderr)
}
