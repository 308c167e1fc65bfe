/**
 * The numbered directories of one view on disk:
 *
 *     level/1/, level/2/ …   LevelDB directories; a rebuild fills a new one
 *     level/current          names the one in use, replaced by rename
 *     level/<n>.aside        one that could not be read, kept for whoever wants to look
 *
 * A directory that `current` does not name is deleted by whoever can take its LevelDB lock.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeOpenFailure, openDiskStore, type Store } from './store.ts'

const currentName = 'current'

export class ViewDirectory {
  readonly path: string

  /** @param path - the `level` folder; made when the first store is */
  constructor(path: string) {
    this.path = path
  }

  /** Number of the directory in use; undefined before there is one. */
  async readCurrent(): Promise<number | undefined> {
    try {
      const text = await readFile(join(this.path, currentName), 'utf8')
      const number = Number(text.trim())
      return Number.isInteger(number) && number > 0 ? number : undefined
    } catch {
      return undefined
    }
  }

  /** Opens the store in use, or a first one. Throws LevelDB's own error; `missing` when a rebuild just replaced it. */
  async open(): Promise<{ readonly store: Store; readonly number: number }> {
    const current = await this.readCurrent()
    if (current !== undefined)
      return { store: await openDiskStore(this.#folder(current), { create: false }), number: current }
    const number = await this.#nextNumber()
    await mkdir(this.path, { recursive: true })
    const store = await openDiskStore(this.#folder(number), { create: true })
    await this.#writeCurrent(number)
    return { store, number }
  }

  /** A new, empty store that nobody uses until `switchTo`. */
  async create(): Promise<{ readonly store: Store; readonly number: number }> {
    await mkdir(this.path, { recursive: true })
    for (let number = await this.#nextNumber(); ; number++) {
      try {
        await mkdir(this.#folder(number))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
        throw error
      }
      return { store: await openDiskStore(this.#folder(number), { create: true }), number }
    }
  }

  /** Makes a store the one in use, then deletes the others that nobody holds. */
  async switchTo(number: number): Promise<void> {
    await this.#writeCurrent(number)
    await this.removeOthers(number)
  }

  /** Renames the directory in use, unreadable as it is, and forgets it. Returns where it went. */
  async setAside(number: number): Promise<string> {
    const aside = `${this.#folder(number)}.aside`
    await rm(aside, { recursive: true, force: true })
    await rename(this.#folder(number), aside)
    await rm(join(this.path, currentName), { force: true })
    return aside
  }

  /** Deletes directories that are not in use and whose lock can be taken. */
  async removeOthers(inUse: number): Promise<void> {
    for (const number of await this.#numbers()) {
      if (number === inUse) continue
      try {
        await (await openDiskStore(this.#folder(number), { create: false })).close()
      } catch (error) {
        if (describeOpenFailure(error) === 'locked') continue
      }
      await rm(this.#folder(number), { recursive: true, force: true })
    }
  }

  async #numbers(): Promise<number[]> {
    const names = await readdir(this.path).catch(() => [])
    return names.map(Number).filter((number) => Number.isInteger(number) && number > 0)
  }

  async #nextNumber(): Promise<number> {
    return 1 + Math.max(0, ...(await this.#numbers()))
  }

  async #writeCurrent(number: number): Promise<void> {
    const draft = join(this.path, `${currentName}.${process.pid}`)
    await writeFile(draft, `${number}\n`)
    await rename(draft, join(this.path, currentName))
  }

  #folder(number: number): string {
    return join(this.path, String(number))
  }
}
