/**
 * The table of all failures that grite reports: the stable code for scripts, the exit status, the prefix of the
 * message, and what the user can do. A test holds docs/errors.md to this table.
 *
 * Codes, exit statuses and prefixes are those of the published format (spec §5.3); they outlive releases.
 */
export const errorKinds = {
  invalidArgs: {
    code: 'invalid_args',
    exit: 2,
    prefix: 'invalid arguments: ',
    hints: [],
  },
  idParse: {
    code: 'invalid_args',
    exit: 2,
    prefix: 'ID parse error: ',
    hints: ['Issue ids are hexadecimal; run `grite issue list` to see them'],
  },
  config: {
    code: 'invalid_args',
    exit: 1,
    prefix: 'TOML parse error: ',
    hints: ['Fix the file by hand; grite never overwrites a configuration it cannot read'],
  },
  notFound: {
    code: 'not_found',
    exit: 3,
    prefix: 'not found: ',
    hints: [],
  },
  conflict: {
    code: 'conflict',
    exit: 4,
    prefix: 'conflict: ',
    hints: ['Run the command again; if another process holds the repository, wait for it to finish'],
  },
  io: {
    code: 'io_error',
    exit: 5,
    prefix: 'IO error: ',
    hints: ['Check free disk space and the permissions of the git directory'],
  },
  incompleteLog: {
    code: 'io_error',
    exit: 5,
    prefix: 'incomplete log: ',
    hints: [
      'Run `grite sync` to fetch the missing part from a remote that has it',
      'Run `grite doctor` to see what is missing',
    ],
  },
  damagedStream: {
    code: 'io_error',
    exit: 5,
    prefix: 'damaged stream: ',
    hints: ['Run `grite stream verify` to see all that is damaged'],
  },
  remote: {
    code: 'remote_error',
    exit: 5,
    prefix: 'remote error: ',
    hints: ['Check the URL with `git remote -v`, and the connection with `git ls-remote`'],
  },
  view: {
    code: 'db_error',
    exit: 5,
    prefix: 'database error: ',
    hints: ['Run `grite rebuild` to rebuild the view from the log; the view is only a cache'],
  },
  ipc: {
    code: 'ipc_error',
    exit: 6,
    prefix: 'IPC error: ',
    hints: ['Run the command again with `--no-daemon`'],
  },
  internal: {
    code: 'internal_error',
    exit: 1,
    prefix: 'internal error: ',
    hints: [],
  },
} as const satisfies Record<string, ErrorKindRow>

interface ErrorKindRow {
  readonly code: string
  readonly exit: number
  readonly prefix: string
  readonly hints: readonly string[]
}

export type ErrorKind = keyof typeof errorKinds
export type ErrorCode = (typeof errorKinds)[ErrorKind]['code']
