/** Files left by dead processes, in the folders of git and grite. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { findLeftovers, type Leftover, removeLeftover } from '../../git/index.ts'
import { ViewDirectory } from '../../view/index.ts'
import { isQueueLockLeft, lockFileQueue } from '../../wal/index.ts'
import { isDraftName } from '../local/write-file-atomically.ts'
import type { Workspace } from '../workspace.ts'
import { type Check, count, idsListedMax, nameSome, ok } from './check.ts'

/** No write, rebuild or ref update goes without a file change for this long; a younger file may be in use. */
const workMsMax = 10 * 60_000
interface Found {
  readonly path: string
  /** Undefined if only a person can tell that the file is unused. */
  readonly remove: (() => Promise<void>) | undefined
}

export const leftovers: Check = {
  id: 'leftovers',
  async look({ repository, nowUnixMs }) {
    const found = await findAll(repository, nowUnixMs)
    if (found.length === 0) return ok('none')
    const paths = found.map(({ path }) => relative(repository.layout.commonDir, path))
    const foreign = found.filter(({ remove }) => remove === undefined)
    return {
      status: 'warn',
      message: `${count(found.length, 'leftover')} of dead processes: ${nameSome(paths)}`,
      plan: [
        ...(foreign.length < found.length ? ['`grite doctor --fix` removes those that are certainly unused'] : []),
        ...foreign.map(
          ({ path }) =>
            `if no git process is running here, you can delete ${relative(repository.layout.commonDir, path)}`,
        ),
      ],
      details: { path_count: paths.length, paths: paths.slice(0, idsListedMax) },
    }
  },
  async fix({ repository, nowUnixMs }) {
    const removable = (await findAll(repository, nowUnixMs)).filter(({ remove }) => remove !== undefined)
    for (const { remove } of removable) await remove?.()
    return removable.length === 0 ? null : `removed ${count(removable.length, 'leftover')}`
  },
}

async function findAll(repository: Workspace, nowUnixMs: number): Promise<Found[]> {
  const { layout } = repository
  const olderThanUnixMs = nowUnixMs - workMsMax
  const age = { nowUnixMs, ageMsMin: workMsMax }
  // Lock files first: whether one is stale is judged by its temp file.
  const ofGit = [...findLeftovers(layout, age)].sort((left, right) => order(left) - order(right))
  return [
    ...ofGit.map((leftover) => ({
      path: leftover.path,
      remove: leftover.isOfDeadOwner ? async () => removeLeftover(layout, leftover) : undefined,
    })),
    ...(await findUnusedViews(repository, olderThanUnixMs)),
    ...findQueueLock(repository, nowUnixMs),
    ...(await findDrafts(repository, nowUnixMs)),
  ]
}

const order = ({ kind }: Leftover): number => (kind === 'ref-lock' ? 0 : 1)

async function findUnusedViews({ paths }: Workspace, olderThanUnixMs: number): Promise<Found[]> {
  const actors = await readdir(paths.actors).catch(() => [])
  const found: Found[] = []
  for (const level of [paths.viewLevels(undefined), ...actors.map((name) => join(paths.actorDir(name), 'level'))]) {
    const directory = new ViewDirectory(level)
    for (const name of await directory.findUnused(olderThanUnixMs)) {
      found.push({ path: join(level, name), remove: () => directory.removeUnused([name]) })
    }
    const aside = `${level}.aside`
    if (((await stat(aside).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY) < olderThanUnixMs) {
      found.push({ path: aside, remove: () => rm(aside, { recursive: true, force: true }) })
    }
  }
  return found
}

/** The queue lock of a dead holder; the next turn in the queue removes it as well. */
function findQueueLock({ paths }: Workspace, nowUnixMs: number): Found[] {
  if (!isQueueLockLeft(paths.appendQueue, nowUnixMs)) return []
  const remove = async () => {
    const leave = await lockFileQueue(paths.appendQueue, paths.permissions).enter()
    await leave()
  }
  return [{ path: `${paths.appendQueue}.lock`, remove }]
}

/** Temp files that were about to replace another file, which normally takes milliseconds. */
async function findDrafts({ paths }: Workspace, nowUnixMs: number): Promise<Found[]> {
  const actors = (await readdir(paths.actors).catch(() => [])).map((name) => paths.actorDir(name))
  const found: Found[] = []
  for (const folder of [paths.home, ...actors]) {
    for (const name of (await readdir(folder).catch(() => [])).filter(isDraftName)) {
      const path = join(folder, name)
      const modified = (await stat(path).catch(() => undefined))?.mtimeMs
      // A file dated in the future, from a wrong clock, counts as old.
      if (modified !== undefined && Math.abs(nowUnixMs - modified) > workMsMax) {
        found.push({ path, remove: () => rm(path, { force: true }) })
      }
    }
  }
  return found
}
