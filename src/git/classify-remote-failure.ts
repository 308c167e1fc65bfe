import { GitError, NotFoundError, RemoteError, RepositoryRefusedError } from '../model/errors/index.ts'

type Reason = 'unreachable' | 'denied' | 'no-atomic' | 'corrupt' | 'failed'

// test/git/remote.test.ts or test/sync provokes each pattern with real git, or it is a server's message over HTTP or
// ssh.
const rules: readonly (readonly [pattern: RegExp, reason: Reason])[] = [
  // send-pack.c.
  [/does not support --atomic push/, 'no-atomic'],
  // http.c and credential.c: 401 and 403, or no terminal to prompt on. ssh(1) and messages that hosts send through it.
  [
    /Authentication failed|could not read (Username|Password)|terminal prompts disabled|returned error: 40[13]|Permission denied \(|access denied|not authorized|Host key verification failed/i,
    'denied',
  ],
  // fetch-pack.c and send-pack.c, between SHA-1 and SHA-256 repositories.
  [/mismatched algorithms|hash algorithm/, 'failed'],
  // builtin/index-pack.c, builtin/unpack-objects.c with fetch.fsckObjects; connected.c and fetch.c.
  [/fsck error|did not send all necessary objects/, 'corrupt'],
  // connect.c, http.c, transport-helper.c, daemon.c and curl's own messages; fetch-pack.c and pkt-line.c on a broken
  // connection.
  [
    /Could not resolve|unable to (connect|access|look up)|Connection (refused|reset|timed out)|No route to host|Network is unreachable|does not appear to be a git repository|Could not read from remote repository|repository '?.*'? not found|the remote end hung up|early EOF|RPC failed|transport '.*' not allowed|Unable to find remote helper|'remote-.*' is not a git command|strange (pathname|hostname)|access denied or repository not exported|expected (flush|'|ACK)|protocol error|unexpected (disconnect|end of file|flush)/i,
    'unreachable',
  ],
]

/**
 * git's check of the local refs reports one whose object is missing (revision.c), before git goes on to blame the
 * remote (connected.c).
 */
const brokenRef = /^fatal: bad object (refs\/\S+)$/m

function refuseOverBrokenRef(ref: string, stderr: string, cause: unknown): GitError {
  return new GitError(`${ref} of this repository points to a missing object; git fetches nothing until this is fixed`, {
    details: { ref, stderr: stderr.slice(0, 2000) },
    hints: [
      'A power loss can cause this; `git fsck` and `grite doctor` show any other damage',
      'Point the ref at an existing object with `git update-ref`, or delete it',
    ],
    cause,
  })
}

/**
 * A remote name or URL safe to show and store: without its password and, over HTTP, without the user, which may be a
 * token. git's own messages omit the same parts.
 */
export function showRemote(remote: string): string {
  return remote.replace(/^(https?:\/\/)[^/]*@/i, '$1').replace(/^([a-z][a-z0-9+.-]*:\/\/[^/:@]*):[^/]*@/i, '$1@')
}

/** The error for a ref whose history is cut off in a shallow remote; git leaves such refs out. */
export function refuseCutLog(remote: string, ref: string): RemoteError {
  const shown = showRemote(remote)
  return new RemoteError(`the log of '${shown}' is cut off there: that repository is a shallow clone`, {
    details: { remote: shown, reason: 'shallow', ref },
    hints: ['Run `git fetch --unshallow` in that repository, or sync with one that has the whole log'],
  })
}

/**
 * Explains why git could not talk to a remote. Failures unrelated to the remote (a full disk, a locked ref) stay as
 * `classifyGitFailure` named them.
 */
export async function classifyRemoteFailure(
  error: unknown,
  remote: string,
  listRemotes: () => Promise<readonly string[]>,
): Promise<unknown> {
  const stderr = stderrOf(error)
  if (stderr === undefined) return error
  const broken = brokenRef.exec(stderr)?.[1]
  if (broken !== undefined) return refuseOverBrokenRef(broken, stderr, error)
  if (error instanceof RepositoryRefusedError) return refusedThere(remote, stderr, error)
  const [pattern, reason] = rules.find(([each]) => each.test(stderr)) ?? (isUnnamed(error) ? unnamed : [])
  if (pattern === undefined || reason === undefined) return error
  const shown = showRemote(remote)
  if (reason === 'unreachable' && (await isUnknownName(remote, listRemotes))) {
    return new NotFoundError(`no remote '${remote}'`, {
      details: { field: 'remote', value: remote },
      hints: ['Run `git remote -v` to see the remotes of this repository'],
    })
  }
  const said = wordsOf(stderr, pattern)
  return new RemoteError(`${verbs[reason]} '${shown}': ${said}`, {
    details: { remote: shown, reason, stderr: stderr.slice(0, 2000) },
    cause: error,
  })
}

/** git on the remote's side refuses its repository because another user owns it. */
function refusedThere(remote: string, stderr: string, cause: RepositoryRefusedError): RemoteError {
  const shown = showRemote(remote)
  return new RemoteError(`no access to '${shown}': ${cause.message}`, {
    details: { remote: shown, reason: 'denied', stderr: stderr.slice(0, 2000) },
    hints: cause.hints.map((hint) => `On the remote's machine: ${hint}`),
    cause,
  })
}

/** The error for a remote that stopped answering. */
export function silentRemote(remote: string, seconds: number): RemoteError {
  const shown = showRemote(remote)
  return new RemoteError(`'${shown}' did not answer for ${seconds} s`, {
    details: { remote: shown, reason: 'silent', seconds },
    hints: [
      'Check the connection, then run the command again',
      'To wait longer, set GRITE_REMOTE_TIMEOUT, or `timeout` under `[remote]` in .git/grite/config.toml; 0 waits for ever',
    ],
  })
}

const verbs: Readonly<Record<Reason, string>> = {
  unreachable: 'cannot reach',
  denied: 'no access to',
  'no-atomic': 'atomic push is not supported by',
  corrupt: 'corrupt objects at',
  failed: 'git failed on',
}

/** The last line that git prints, for a failed fetch or push that no pattern matches. */
const unnamed = [/^(?=[^\s])/, 'failed'] as const

/** A failure that `classifyGitFailure` does not recognise and has no hint for. */
function isUnnamed(error: unknown): boolean {
  return error instanceof GitError && error.hints.length === 0
}

/** Checks every kind of failure: `Permission denied (publickey)` looks like a file permission elsewhere. */
function stderrOf(error: unknown): string | undefined {
  if (!(error instanceof GitError || (error instanceof Error && 'details' in error))) return undefined
  const { stderr } = error.details as { stderr?: unknown }
  return typeof stderr === 'string' ? stderr : undefined
}

/** The matching line, without git's own labels. */
function wordsOf(stderr: string, pattern: RegExp): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^(fatal|error|remote|ssh): /, '').trim())
  const said = pattern === unnamed[0] ? lines.findLast(Boolean) : lines.find((line) => pattern.test(line))
  return (said ?? '').slice(0, 500)
}

/** Neither configured nor a URL, `host:path` or path. */
async function isUnknownName(remote: string, listRemotes: () => Promise<readonly string[]>): Promise<boolean> {
  if (/[:/\\]/.test(remote)) return false
  return !(await listRemotes().catch(() => [remote])).includes(remote)
}
