/**
 * Every kind of failure that grite reports, in one table: the stable code scripts match on, the exit status, the
 * words that open the message, and what the user can do. docs/errors.md is held to this table by a test.
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
    hints: ['Repair the file by hand; grite never overwrites a configuration it cannot read'],
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
      'Run `grite sync`: it fetches what is missing here from a remote that has it',
      'Ask `grite doctor` what is missing',
    ],
  },
  remote: {
    code: 'remote_error',
    exit: 5,
    prefix: 'remote error: ',
    hints: ['Check the address with `git remote -v`, and that `git ls-remote` reaches it'],
  },
  view: {
    code: 'db_error',
    exit: 5,
    prefix: 'database error: ',
    hints: ['The view is only a cache; run `grite rebuild` to rebuild it from the log'],
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
