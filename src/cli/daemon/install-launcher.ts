import {
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { defineCommand } from '../../commands/define-command.ts'
import { ConflictError, StorageError } from '../../model/errors/index.ts'
import { makeFolder } from '../../tracker/local/write-file-atomically.ts'
import type { CompileRequest } from './compile-launcher.ts'

/** In the folder of the program where the build had a C compiler, and else in that of the link. */
const launcherName = 'grite-fast'

export interface DaemonInstallLauncherData {
  /** The link that was made. */
  readonly path: string
  /** The program that it leads to. */
  readonly target: string
  readonly outcome: 'created' | 'unchanged'
}

export const daemonInstallLauncher = defineCommand({
  name: 'daemon install-launcher',
  summary: 'Link the native launcher into a directory',
  description:
    'The launcher is a small program that hands a command to the daemon in a millisecond, and starts the usual program for everything ' +
    'else. It makes `grite` in that directory a link to it; put the directory before others in PATH. An installation without a ' +
    'launcher compiles it, with the C compiler `cc`, to `grite-fast` in that directory; run this again after an update.',
  examples: [{ command: 'grite daemon install-launcher ~/bin', explains: 'make ~/bin/grite the launcher' }],
  effect: 'sets',
  arguments: { directory: { summary: 'Where to put the link', completes: 'file' } },
  options: {},
  async run(context, { directory }): Promise<{ readonly data: DaemonInstallLauncherData }> {
    const dist = dirname(realpathSync(process.argv[1] ?? ''))
    const folder = resolve(context.cwd, directory)
    const path = join(folder, 'grite')
    const built = join(dist, launcherName)
    const isBuilt = existsSync(built)
    const target = isBuilt ? built : join(folder, launcherName)
    await makeFolder(folder)
    requireFree(path)
    const isCompiled = !isBuilt && (await compileTo(target, path, { dist, env: context.env }))
    const isLinked = link(target, path)
    return { data: { path, target, outcome: isCompiled || isLinked ? 'created' : 'unchanged' } }
  },
})

/** @throws {ConflictError} when something else than a link to the launcher is there */
function requireFree(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.isSymbolicLink() && readlinkSync(path).endsWith(`/${launcherName}`))) return
  throw new ConflictError(`${path} exists and is not a link to the launcher; nothing was changed`, {
    details: { path },
    hints: ['Choose another directory, or move that file away first'],
  })
}

/** @returns whether the program is another than before */
async function compileTo(target: string, path: string, from: Omit<CompileRequest, 'target'>): Promise<boolean> {
  const isOwn = lstatSync(path, { throwIfNoEntry: false }) !== undefined && readlinkSync(path) === target
  const isThere = lstatSync(target, { throwIfNoEntry: false }) !== undefined
  if (isThere && !isOwn) {
    throw new ConflictError(`${target} exists and is not the launcher of ${path}; nothing was changed`, {
      details: { path: target },
      hints: ['Choose another directory, or move that file away first'],
    })
  }
  const { compileLauncher } = await import('./compile-launcher.ts')
  const draft = `${target}.${process.pid}.tmp`
  compileLauncher({ ...from, target: draft })
  try {
    if (isThere && readFileSync(target).equals(readFileSync(draft))) return false
    renameSync(draft, target)
    return true
  } catch (cause) {
    throw new StorageError(`cannot make ${target}: ${(cause as Error).message}`, { details: { path: target }, cause })
  } finally {
    rmSync(draft, { force: true })
  }
}

/** @returns false when it was there */
function link(target: string, path: string): boolean {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
      if (readlinkSync(path) === target) return false
      unlinkSync(path)
    }
    symlinkSync(target, path)
    return true
  } catch (cause) {
    throw new StorageError(`cannot make ${path}: ${(cause as Error).message}`, { details: { path }, cause })
  }
}
