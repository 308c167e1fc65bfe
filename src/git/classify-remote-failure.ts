import { GitError, NotFoundError, RemoteError } from '../model/errors/index.ts'

type Reason = 'unreachable' | 'denied' | 'no-atomic'

// Each pattern is provoked with real git in test/git/remote.test.ts, or is a server's words over HTTP or ssh.
const rules: readonly (readonly [pattern: RegExp, reason: Reason])[] = [
  // send-pack.c.
  [/does not support --atomic push/, 'no-atomic'],
  // http.c and credential.c: 401 and 403, or nobody to ask. ssh(1) and what hosts say through it.
  [
    /Authentication failed|could not read (Username|Password)|terminal prompts disabled|returned error: 40[13]|Permission denied \(|access denied|not authorized|Host key verification failed/i,
    'denied',
  ],
  // connect.c, http.c, transport-helper.c, daemon.c and curl's own words.
  [
    /Could not resolve|unable to (connect|access|look up)|Connection (refused|reset|timed out)|No route to host|Network is unreachable|does not appear to be a git repository|Could not read from remote repository|repository '?.*'? not found|the remote end hung up|early EOF|RPC failed|transport '.*' not allowed|Unable to find remote helper|'remote-.*' is not a git command|strange (pathname|hostname)|access denied or repository not exported/i,
    'unreachable',
  ],
]

/**
 * Names why git could not talk to a remote. What is not about the remote (a full disk, a locked ref) is left as
 * `classifyGitFailure` named it.
 */
export async function classifyRemoteFailure(
  error: unknown,
  remote: string,
  listRemotes: () => Promise<readonly string[]>,
): Promise<unknown> {
  const stderr = stderrOf(error)
  if (stderr === undefined) return error
  const [pattern, reason] = rules.find(([each]) => each.test(stderr)) ?? []
  if (pattern === undefined || reason === undefined) return error
  if (reason === 'unreachable' && (await isUnknownName(remote, listRemotes))) {
    return new NotFoundError(`no remote '${remote}'`, {
      details: { field: 'remote', value: remote },
      hints: ['Run `git remote -v` to see the remotes of this repository'],
    })
  }
  const said = wordsOf(stderr, pattern)
  return new RemoteError(`${verbs[reason]} '${remote}': ${said}`, {
    details: { remote, reason, stderr: stderr.slice(0, 2000) },
    cause: error,
  })
}

const verbs: Readonly<Record<Reason, string>> = {
  unreachable: 'cannot reach',
  denied: 'no access to',
  'no-atomic': 'cannot push all at once to',
}

/** `Permission denied (publickey)` passes for a file permission elsewhere, so every kind of failure is looked at. */
function stderrOf(error: unknown): string | undefined {
  if (!(error instanceof GitError || (error instanceof Error && 'details' in error))) return undefined
  const { stderr } = error.details as { stderr?: unknown }
  return typeof stderr === 'string' ? stderr : undefined
}

/** The line that says it, without git's own labels. */
function wordsOf(stderr: string, pattern: RegExp): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^(fatal|error|remote|ssh): /, '').trim())
  return (lines.find((line) => pattern.test(line)) ?? '').slice(0, 500)
}

/** Neither configured nor an address: no URL, no `host:path`, no path. */
async function isUnknownName(remote: string, listRemotes: () => Promise<readonly string[]>): Promise<boolean> {
  if (/[:/\\]/.test(remote)) return false
  return !(await listRemotes().catch(() => [remote])).includes(remote)
}
