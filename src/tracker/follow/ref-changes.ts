/**
 * Tells when the log may have moved, without reading it: the system reports changes in the folder of its ref, by any process. Where
 * it does not (another kind of repository, no room for another watch, no folder yet) the caller looks from time to time.
 */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RepositoryLayout } from '../../git/index.ts'
import { walRef } from '../../wal/index.ts'

export class RefChanges {
  readonly #folder: string | null
  #watcher: FSWatcher | undefined
  #watchedIno: number | undefined
  /** A change that nobody has waited for yet. */
  #isChanged = false
  #wake = (): void => {}

  constructor({ commonDir, refStorage }: Pick<RepositoryLayout, 'commonDir' | 'refStorage'>) {
    this.#folder = refStorage === 'files' ? `${commonDir}/${dirname(walRef)}` : null
    this.#open()
  }

  /** Resolves at the next change since the last call or the start, and after `ms` at the latest. @throws when the signal aborts */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#open()) return sleep(ms, undefined, { signal })
    const over = new AbortController()
    const changed = new Promise<void>((resolve) => {
      this.#wake = resolve
      if (this.#isChanged) resolve()
    })
    try {
      await Promise.race([changed, sleep(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) })])
    } finally {
      this.#isChanged = false
      this.#wake = () => {}
      over.abort()
    }
  }

  close(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  /** False where changes are not reported. */
  #open(): boolean {
    if (this.#folder === null) return false
    // git removes an empty folder, and the next one has the same name.
    const present = statSync(this.#folder, { throwIfNoEntry: false })?.ino
    if (this.#watcher !== undefined && present === this.#watchedIno) return true
    this.close()
    if (present === undefined) return false
    try {
      const watcher = watch(this.#folder)
      watcher.on('change', (_type, name) => {
        // `git pack-refs` and snapshots change other names.
        if (name === null || `${name}`.startsWith('wal')) this.#note()
      })
      // The folder is gone.
      watcher.on('error', () => this.close())
      this.#watcher = watcher
      this.#watchedIno = present
      // What happened before the watch.
      this.#isChanged = true
      return true
    } catch {
      return false
    }
  }

  #note(): void {
    this.#isChanged = true
    this.#wake()
  }
}
