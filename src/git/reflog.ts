import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { GitPort, Oid, RefName } from './port.ts'
import { reflogPath } from './ref-paths.ts'
import { createGitRunner, type GitRunner } from './run-git.ts'

/** One move of a ref. Null means no ref: before creation, after deletion. */
export interface ReflogEntry {
  readonly previous: Oid | null
  readonly next: Oid | null
  readonly message: string
}

/** Bytes read from the end of a reflog. An entry has about 200 bytes. */
const tailBytesMax = 256 * 1024

/**
 * A mark that changes with every write to the reflog, and tells `readReflog` where to start; empty without a reflog, or
 * where it is not a file. Costs one stat.
 */
export async function reflogMark({ layout }: GitPort, ref: RefName): Promise<string> {
  if (layout.refStorage !== 'files') return ''
  try {
    const { size, mtimeMs, ino, birthtimeMs } = statSync(reflogPath(layout, ref))
    return `${size} ${mtimeMs} ${ino}/${birthtimeMs}`
  } catch {
    return ''
  }
}

/**
 * The newest moves of a ref, newest first, at most `entriesMax`; empty without a reflog.
 *
 * @param since - a `reflogMark`: limits the result to later writes where possible, else returns everything
 */
export async function readReflog(
  git: GitPort,
  ref: RefName,
  entriesMax: number,
  since = '',
): Promise<readonly ReflogEntry[]> {
  const lines = git.layout.refStorage === 'files' ? readFileTail(git, ref, since) : await askGit(git, ref, entriesMax)
  return lines.slice(-entriesMax).reverse()
}

/** Line: `<old> <new> <name> <email> <time> <zone>\t<message>`. Skips other lines. */
function readFileTail({ layout }: GitPort, ref: RefName, since: string): ReflogEntry[] {
  let file: number | undefined
  try {
    file = openSync(reflogPath(layout, ref), 'r')
    const { size, ino, birthtimeMs } = fstatSync(file)
    const [sizeThen, , fileThen] = since.split(' ')
    // Lines are appended; a program that removes some (`git reflog expire`) replaces the file.
    const isSameFile = fileThen === `${ino}/${birthtimeMs}` && Number(sizeThen) <= size
    const seen = isSameFile ? Number(sizeThen) : 0
    const start = Math.max(seen, size - tailBytesMax)
    const bytes = Buffer.alloc(size - start)
    const length = readSync(file, bytes, 0, bytes.length, start)
    return bytes
      .subarray(0, length)
      .toString('latin1')
      .split('\n')
      .flatMap((line) => {
        const match = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [^\t]*\t?(.*)$/.exec(line)
        if (match === null) return []
        return [{ previous: parseEnd(match[1]), next: parseEnd(match[2]), message: match[3] ?? '' }]
      })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function parseEnd(text: string | undefined): Oid | null {
  return text === undefined || /^0+$/.test(text) ? null : (text as Oid)
}

/** Where refs are not files, only git can read reflogs; it lists new values, newest first. */
async function askGit({ layout, environment }: GitPort, ref: RefName, entriesMax: number): Promise<ReflogEntry[]> {
  const git = createGitRunner(layout, environment)
  const { exitStatus, stdout } = await git.run(
    ['reflog', 'show', `--max-count=${entriesMax}`, '--format=%H %gs', ref],
    {
      okStatuses: [0, 128],
    },
  )
  // git stops at an entry with an unreadable object; the values are still available.
  if (exitStatus !== 0) return askForValues(git, ref)
  const lines = stdout.toString('latin1').split('\n').filter(Boolean).reverse()
  const heads = lines.map((line) => line.split(' ', 1)[0] as Oid)
  return heads.map((next, index) => ({
    previous: heads[index - 1] ?? null,
    next,
    message: (lines[index] ?? '').slice(next.length + 1),
  }))
}

/** Values per query. git answers up to the first one that the reflog does not have. */
const valuesMax = 64

async function askForValues(git: GitRunner, ref: RefName): Promise<ReflogEntry[]> {
  const names = Array.from({ length: valuesMax }, (_value, index) => `${ref}@{${index}}`)
  const { stdout } = await git.run(['rev-parse', ...names], { okStatuses: [0, 128] })
  const values = stdout
    .toString('latin1')
    .split('\n')
    .filter((line) => /^[0-9a-f]{40,64}$/.test(line)) as Oid[]
  return values.reverse().map((next, index) => ({ previous: values[index - 1] ?? null, next, message: '' }))
}
