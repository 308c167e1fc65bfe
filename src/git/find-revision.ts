/** Tags, branches and commits of the user's own history, with their dates. */
import type { Environment } from './locate-git.ts'
import type { Oid, RepositoryLayout } from './port.ts'
import { createGitRunner, noLazyFetch } from './run-git.ts'

export interface Revision {
  readonly commit: Oid
  /** Committer time, seconds since the epoch. */
  readonly committedAtUnixSeconds: number
}

export interface TaggedRevision extends Revision {
  /** Without `refs/tags/`. */
  readonly tag: string
}

/** Tags looked at for the newest one. */
const tagsMax = 200

/** The commit that a name means to git; undefined when there is none. */
export async function findRevision(
  layout: RepositoryLayout,
  environment: Environment,
  name: string,
): Promise<Revision | undefined> {
  // git would read a line end or a NUL as the end of the name.
  if (name.trim() === '' || /[\0-\x1f]/.test(name)) return undefined
  const git = createGitRunner(layout, environment)
  const options = { okStatuses: [0, 1, 128], environment: noLazyFetch }
  const parsed = await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], options)
  const oid = parsed.stdout.toString('latin1').trim()
  if (parsed.exitStatus !== 0 || !/^[0-9a-f]+$/.test(oid)) return undefined
  const dated = await git.run(['rev-list', '-1', '--timestamp', oid], options)
  const [, seconds] = /^(\d+) /.exec(dated.stdout.toString('latin1')) ?? []
  return seconds === undefined ? undefined : { commit: oid as Oid, committedAtUnixSeconds: Number(seconds) }
}

/**
 * The tag of the newest commit among those reachable from a revision; undefined when there is none.
 *
 * @param options - `from`: a commit, or HEAD, which need not exist yet; `isWanted` excludes tags
 */
export async function findNewestTag(
  layout: RepositoryLayout,
  environment: Environment,
  { from, isWanted }: { readonly from: string; readonly isWanted: (tag: TaggedRevision) => boolean },
): Promise<TaggedRevision | undefined> {
  const fields = ['refname', 'objectname', '*objectname', 'committerdate:unix', '*committerdate:unix']
  const { stdout } = await createGitRunner(layout, environment).run(
    [
      'for-each-ref',
      `--merged=${from}`,
      '--sort=-creatordate',
      `--count=${tagsMax}`,
      `--format=${fields.map((field) => `%(${field})`).join('%09')}`,
      'refs/tags',
    ],
    { okStatuses: [0, 128, 129], environment: noLazyFetch },
  )
  const tags = stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseTag)
    .filter(isWanted)
  return tags.reduce<TaggedRevision | undefined>(
    (newest, tag) =>
      newest === undefined || tag.committedAtUnixSeconds > newest.committedAtUnixSeconds ? tag : newest,
    undefined,
  )
}

/** The commit of an annotated tag is what the tag points to. */
function parseTag(line: string): TaggedRevision {
  const [ref = '', object = '', peeled = '', seconds = '', peeledSeconds = ''] = line.split('\t')
  return {
    tag: ref.replace('refs/tags/', ''),
    commit: (peeled || object) as Oid,
    committedAtUnixSeconds: Number(peeledSeconds || seconds),
  }
}
