/**
 * The numbered directories of one view on disk:
 *
 *     level/1/, level/2/ …   LevelDB directories; a rebuild fills a new one
 *     level/current          names the one in use, replaced by rename
 *     level/<n>.aside        an unreadable one, kept for inspection
 *     level/<n>.removed      one being deleted
 *     level/current.<pid>.<n> one about to become current
 *     level/rows, rows.events see rows-file.ts
 *     level/rows.list         see list-file.ts
 *     level/names             see names-file.ts
 *
 * A process may delete a directory that `current` does not name if it can take its LevelDB lock, which it holds until
 * the directory is renamed: a process about to fill it finds it locked, or gone.
 */
import { readFileSync, statSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { privatePermissions, randomBytes, type SharedPermissions } from '../git/index.ts'
import { describeOpenFailure, type OpenFailure, openDiskStore, type Store } from './store.ts'

const currentName = 'current'

/** Names of what a killed process may leave. */
const leftover = /^(\d+\.(removed|aside)|current\.\d+\.\d+|(rows(\.events)?|names)\.[0-9a-f]{12})$/

/** A store that opened, or why the one with this number did not. */
export type OpenAttempt =
  | { readonly store: Store; readonly number: number }
  | { readonly store: null; readonly number: number; readonly reason: OpenFailure; readonly error: unknown }

export class ViewDirectory {
  readonly path: string
  readonly #permissions: SharedPermissions

  /**
   * @param path - the `level` folder; created with the first store
   * @param permissions - of the repository: LevelDB itself creates its files with owner-only permissions
   */
  constructor(path: string, permissions: SharedPermissions = privatePermissions) {
    this.path = path
    this.#permissions = permissions
  }

  /** Number of the directory in use; undefined before there is one. */
  async readCurrent(): Promise<number | undefined> {
    try {
      const text = readFileSync(join(this.path, currentName), 'utf8')
      const number = Number(text.trim())
      return Number.isInteger(number) && number > 0 ? number : undefined
    } catch {
      return undefined
    }
  }

  /** Changes when another process opens the store: LevelDB then replaces this file. */
  holderMark(number: number): string {
    const found = statSync(join(this.#folder(number), 'CURRENT'), { throwIfNoEntry: false })
    return `${found?.ino} ${found?.mtimeMs}`
  }

  /** Opens the store in use, or creates a first one. */
  async open(): Promise<OpenAttempt> {
    const current = await this.readCurrent()
    if (current !== undefined) return this.#attempt(current, { create: false })
    const number = await this.#nextNumber()
    try {
      await this.#makeFolder()
    } catch (error) {
      return { store: null, number, reason: describeOpenFailure(error), error }
    }
    const opened = await this.#attempt(number, { create: true })
    if (opened.store === null) return opened
    try {
      await this.#writeCurrent(number)
      return opened
    } catch (error) {
      await opened.store.close()
      return { store: null, number, reason: describeOpenFailure(error), error }
    }
  }

  async #attempt(number: number, options: { readonly create: boolean }): Promise<OpenAttempt> {
    try {
      const store = await openDiskStore(this.#folder(number), options)
      if (this.#permissions.isShared) await this.#shareFiles(store, this.#folder(number))
      return { store, number }
    } catch (error) {
      return { store: null, number, reason: describeOpenFailure(error), error }
    }
  }

  async #makeFolder(): Promise<void> {
    const first = await mkdir(this.path, { recursive: true })
    if (first === undefined) return
    for (let made = this.path; made.length >= first.length; made = dirname(made)) this.#permissions.adjust(made)
  }

  /** LevelDB creates files while it is open, so they are adjusted now and on close. */
  async #shareFiles(store: Store, folder: string): Promise<void> {
    const close = store.close.bind(store)
    store.close = async () => {
      await close()
      this.#permissions.adjustFolder(folder)
    }
    try {
      this.#permissions.adjustFolder(folder)
    } catch (error) {
      await close()
      throw error
    }
  }

  /** A new, empty store that nobody uses until `switchTo`. Throws the error of the file system or of LevelDB. */
  async create(): Promise<{ readonly store: Store; readonly number: number }> {
    await this.#makeFolder()
    for (let number = await this.#nextNumber(); ; number++) {
      try {
        await mkdir(this.#folder(number))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
        throw error
      }
      const made = await this.#attempt(number, { create: true })
      if (made.store !== null) return made
      if (made.reason === 'locked') continue
      await rm(this.#folder(number), { recursive: true, force: true }).catch(() => {})
      throw made.error
    }
  }

  /** Makes a store the current one, then deletes the others that nobody holds; undeletable ones stay. */
  async switchTo(number: number): Promise<void> {
    await this.#writeCurrent(number)
    await this.removeOthers(number).catch(() => {})
  }

  /** Renames an unusable directory and clears `current`. Returns its new path; null when another process was faster. */
  async setAside(number: number): Promise<string | null> {
    const folder = this.#folder(number)
    const aside = `${folder}.aside`
    await rm(aside, { recursive: true, force: true })
    const isMine = await renameIfThere(folder, aside)
    await this.forget(number)
    return isMine ? aside : null
  }

  /** Renames a file that blocks the `level` folder. Null when there is none. */
  async setAsideObstacle(): Promise<string | null> {
    const found = await stat(this.path).catch(() => undefined)
    if (found === undefined || found.isDirectory()) return null
    const aside = `${this.path}.aside`
    await rm(aside, { recursive: true, force: true })
    return (await renameIfThere(this.path, aside)) ? aside : null
  }

  /** Clears `current` when it names a directory that is gone. */
  async forget(number: number): Promise<void> {
    if ((await this.readCurrent()) === number) await rm(join(this.path, currentName), { force: true })
  }

  /**
   * Names of unused entries in the folder: view directories that `current` does not name and that were not written to
   * for a while, and leftovers that were set aside, being deleted or about to become current.
   */
  async findUnused(olderThanUnixMs: number): Promise<string[]> {
    const current = await this.readCurrent()
    const unused = []
    for (const name of (await readdir(this.path).catch(() => [])).sort()) {
      const isNumbered = /^\d+$/.test(name) && Number(name) !== current
      if (!isNumbered && !leftover.test(name)) continue
      if ((await newestMtimeMs(join(this.path, name))) < olderThanUnixMs) unused.push(name)
    }
    return unused
  }

  /** Deletes entries from `findUnused`. A directory that a process holds stays. */
  async removeUnused(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (/^\d+$/.test(name)) await this.remove(Number(name))
      else await rm(join(this.path, name), { recursive: true, force: true })
    }
  }

  /** Deletes unused directories whose lock can be taken. */
  async removeOthers(inUse: number): Promise<void> {
    for (const number of await this.#numbers()) if (number !== inUse) await this.remove(number)
    const names = await readdir(this.path).catch(() => [])
    const numbers = new Set(names)
    for (const name of names) {
      const draftOf = /^current\.\d+\.(\d+)$/.exec(name)?.[1]
      const isLeft = /^\d+\.removed$/.test(name) || (draftOf !== undefined && !numbers.has(draftOf))
      if (isLeft) await rm(join(this.path, name), { recursive: true, force: true })
    }
  }

  /** Deletes a directory, unless another process holds it. */
  async remove(number: number): Promise<void> {
    const held = await this.#attempt(number, { create: true })
    if (held.store === null && held.reason === 'locked') return
    const removed = `${this.#folder(number)}.removed`
    await rm(removed, { recursive: true, force: true })
    await renameIfThere(this.#folder(number), removed)
    await held.store?.close()
    await rm(removed, { recursive: true, force: true })
  }

  async #numbers(): Promise<number[]> {
    const names = await readdir(this.path).catch(() => [])
    return names.map(Number).filter((number) => Number.isInteger(number) && number > 0)
  }

  async #nextNumber(): Promise<number> {
    return 1 + Math.max(0, ...(await this.#numbers()))
  }

  async #writeCurrent(number: number): Promise<void> {
    const draft = join(this.path, `${currentName}.${randomBytes(6).toString('hex')}`)
    await writeFile(draft, `${number}\n`)
    this.#permissions.adjust(draft)
    await rename(draft, join(this.path, currentName))
  }

  #folder(number: number): string {
    return join(this.path, `${number}`)
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Newest time of a file, or of a folder and its content. Milliseconds. */
async function newestMtimeMs(path: string): Promise<number> {
  const names = await readdir(path).catch(() => [])
  const times = await Promise.all(
    [path, ...names.map((name) => join(path, name))].map(
      async (each) => (await stat(each).catch(() => undefined))?.mtimeMs,
    ),
  )
  return Math.max(...times.map((time) => time ?? 0))
}
