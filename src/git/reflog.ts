import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { GitPort, Oid, RefName } from './port.ts'
import { reflogPath } from './ref-paths.ts'
import { createGitRunner, type GitRunner } from './run-git.ts'

/** One move of a ref. Null stands for no ref: before it was made, after it was deleted. */
export interface ReflogEntry {
  readonly previous: Oid | null
  readonly next: Oid | null
  readonly message: string
}

/** How much of a reflog's end is read. An entry has about 200 bytes. */
const tailBytesMax = 256 * 1024

/**
 * A text that differs whenever the reflog was written since, and tells `readReflog` where that began; empty where there
 * is none, or where it is not a file. Costs one stat.
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
 * The newest moves of a ref, newest first, at most `entriesMax`; empty where there is no reflog.
 *
 * @param since - a `reflogMark`: only what was written after it, where that can be told, else everything
 */
export async function readReflog(
  git: GitPort,
  ref: RefName,
  entriesMax: number,
  since = '',
): Promise<readonly ReflogEntry[]> {
  const lines =
    git.layout.refStorage === 'files' ? await readFileTail(git, ref, since) : await askGit(git, ref, entriesMax)
  return lines.slice(-entriesMax).reverse()
}

/** Line: `<old> <new> <name> <email> <time> <zone>\t<message>`. Lines of another shape are passed over. */
async function readFileTail({ layout }: GitPort, ref: RefName, since: string): Promise<ReflogEntry[]> {
  try {
    await using file = await open(reflogPath(layout, ref))
    const { size, ino, birthtimeMs } = await file.stat()
    const [sizeThen, , fileThen] = since.split(' ')
    // Lines are appended; a program that removes some (`git reflog expire`) puts a new file in place.
    const isSameFile = fileThen === `${ino}/${birthtimeMs}` && Number(sizeThen) <= size
    const seen = isSameFile ? Number(sizeThen) : 0
    const start = Math.max(seen, size - tailBytesMax)
    const bytes = Buffer.alloc(size - start)
    await file.read(bytes, 0, bytes.length, start)
    return bytes
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
  }
}

function parseEnd(text: string | undefined): Oid | null {
  return text === undefined || /^0+$/.test(text) ? null : (text as Oid)
}

/** Where refs are not files, only git knows; it tells new values, newest first. */
async function askGit({ layout, environment }: GitPort, ref: RefName, entriesMax: number): Promise<ReflogEntry[]> {
  const git = createGitRunner(layout, environment)
  const { exitStatus, stdout } = await git.run(
    ['reflog', 'show', `--max-count=${entriesMax}`, '--format=%H %gs', ref],
    {
      okStatuses: [0, 128],
    },
  )
  // It ends at an entry whose object cannot be read; the values are to be had all the same.
  if (exitStatus !== 0) return askForValues(git, ref)
  const lines = stdout.toString('latin1').split('\n').filter(Boolean).reverse()
  const heads = lines.map((line) => line.split(' ', 1)[0] as Oid)
  return heads.map((next, index) => ({
    previous: heads[index - 1] ?? null,
    next,
    message: (lines[index] ?? '').slice(next.length + 1),
  }))
}

/** Values asked for in one go. git answers up to the first that the reflog does not have. */
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
