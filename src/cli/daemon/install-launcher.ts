import { existsSync, lstatSync, readlinkSync, realpathSync, symlinkSync, unlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { defineCommand } from '../../commands/define-command.ts'
import { ConflictError, NotFoundError, StorageError } from '../../model/errors/index.ts'
import { makeFolder } from '../../tracker/local/write-file-atomically.ts'

/** Built by `npm run build` where there is a C compiler. */
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
    'else. It makes `grite` in that directory a link to it; put the directory before others in PATH.',
  examples: [{ command: 'grite daemon install-launcher ~/bin', explains: 'make ~/bin/grite the launcher' }],
  arguments: { directory: { summary: 'Where to put the link', completes: 'file' } },
  options: {},
  async run(context, { directory }): Promise<{ readonly data: DaemonInstallLauncherData }> {
    const target = join(dirname(realpathSync(process.argv[1] ?? '')), launcherName)
    if (!existsSync(target)) {
      throw new NotFoundError('this installation has no launcher: it was built on a machine without a C compiler', {
        details: { path: target },
        hints: ['Install a C compiler, and install grite again'],
      })
    }
    const folder = resolve(context.cwd, directory)
    await makeFolder(folder)
    const path = join(folder, 'grite')
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found?.isSymbolicLink() === true) {
      if (readlinkSync(path) === target) return { data: { path, target, outcome: 'unchanged' } }
      if (readlinkSync(path).endsWith(`/${launcherName}`)) unlinkSync(path)
    }
    try {
      symlinkSync(target, path)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code === 'EEXIST') {
        throw new ConflictError(`${path} exists and is not a link to the launcher; nothing was changed`, {
          details: { path },
          hints: ['Choose another directory, or move that file away first'],
        })
      }
      throw new StorageError(`cannot make ${path}: ${message}`, { details: { path }, cause })
    }
    return { data: { path, target, outcome: 'created' } }
  },
})
