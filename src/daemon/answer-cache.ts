/**
 * Answers of the daemon by the line that asked for them, for lines whose answer depends on nothing but the state of the repository.
 *
 * Invariants
 * - An answer is given again only while every file that it may depend on is as it was before the answer was made.
 * - An answer that depends on the time, on standard input or on another file is never kept, nor that of a line that failed, was
 *   cancelled or was not read to its end.
 * - The answers together are bounded; the ones that were not asked for longest go first.
 */
import { readdirSync, statSync } from 'node:fs'
import type { RepositoryLayout } from '../git/index.ts'
import { leasePrefix, lockPrefix, remotesPrefix, walRef } from '../wal/index.ts'

export interface KeptAnswer {
  readonly stdout: Buffer
  readonly stderr: Buffer
  readonly status: number
}

interface Entry {
  readonly stamp: string
  readonly answer: KeptAnswer
  readonly size: number
}

/** Bytes of all answers with their questions, and of one. */
const sizeMax = 32 * 1024 * 1024
const answerSizeMax = 8 * 1024 * 1024

/** The time of a folder does not tell changes apart that are closer than this. Nanoseconds. */
const racyNs = 50_000_000n

/** Files and folders of the common git directory on which an answer may depend; `/*` is each folder in it. */
const sources = [
  walRef,
  'packed-refs',
  'config',
  'shallow',
  lockPrefix,
  leasePrefix,
  remotesPrefix,
  `${remotesPrefix}*`,
  `${remotesPrefix}*/grite`,
  `${remotesPrefix}*/grite/locks`,
  `${remotesPrefix}*/grite-leases`,
  'grite/config.toml',
  'grite/actors',
  'grite/actors/*',
]

export class AnswerCache {
  readonly #commonDir: string
  readonly #hasRefFiles: boolean
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>()
  #size = 0

  constructor({ commonDir, refStorage }: Pick<RepositoryLayout, 'commonDir' | 'refStorage'>) {
    this.#commonDir = commonDir
    this.#hasRefFiles = refStorage === 'files'
  }

  /** The state that an answer may depend on; null when it has just changed, so that the next change could look alike. */
  stamp(): string | null {
    if (!this.#hasRefFiles) return null
    const parts: string[] = []
    let newestNs = 0n
    for (const path of this.#paths()) {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false })
      if (found === undefined) continue
      parts.push(`${path} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`)
      if (found.isDirectory() && found.mtimeNs > newestNs) newestNs = found.mtimeNs
    }
    const nowNs = BigInt(Date.now()) * 1_000_000n
    return newestNs > nowNs - racyNs && newestNs <= nowNs + racyNs ? null : parts.join('\n')
  }

  find(line: string, stamp: string): KeptAnswer | undefined {
    const entry = this.#entries.get(line)
    if (entry === undefined) return undefined
    this.#remove(line, entry)
    if (entry.stamp !== stamp) return undefined
    this.#add(line, entry)
    return entry.answer
  }

  /** @param stamp - from before the answer was made */
  keep(line: string, stamp: string, answer: KeptAnswer): void {
    const size = line.length + stamp.length + answer.stdout.length + answer.stderr.length
    if (size > answerSizeMax) return
    const present = this.#entries.get(line)
    if (present !== undefined) this.#remove(line, present)
    this.#add(line, { stamp, answer, size })
    for (const [oldest, entry] of this.#entries) {
      if (this.#size <= sizeMax) break
      this.#remove(oldest, entry)
    }
  }

  #add(line: string, entry: Entry): void {
    this.#entries.set(line, entry)
    this.#size += entry.size
  }

  #remove(line: string, entry: Entry): void {
    this.#entries.delete(line)
    this.#size -= entry.size
  }

  *#paths(): Generator<string> {
    for (const source of sources) {
      const [above = '', below = ''] = source.split('/*')
      const path = `${this.#commonDir}/${above}`
      if (!source.includes('/*')) yield path
      else for (const name of namesIn(path)) yield `${path}/${name}${below}`
    }
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort()
  } catch {
    return []
  }
}
