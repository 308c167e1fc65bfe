/**
 * The log of a user's daemon: `<common git dir>/grite/daemon.<uid>.log`, JSON lines of pino, at most 2 MiB in two files. It has commands and
 * reasons, never a title, a text or any other value.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import pino from 'pino'
import { currentUser } from '../git/index.ts'

const bytesMax = 1024 * 1024

export interface DaemonLog {
  readonly path: string
  readonly info: (facts: Readonly<Record<string, unknown>>, message: string) => void
  readonly warn: (facts: Readonly<Record<string, unknown>>, message: string) => void
}

export function daemonLogPath(home: string): string {
  return `${home}/daemon.${currentUser()}.log`
}

/** The file before, kept when a new one begins. */
export function earlierLogPath(path: string): string {
  return `${path}.1`
}

/** @param echo - also receives each line, for a daemon in the foreground */
export function openDaemonLog(path: string, echo?: (line: string) => void): DaemonLog {
  const file = new BoundedFile(path)
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write(line: string) {
        file.write(line)
        echo?.(line)
      },
    },
  )
  return {
    path,
    info: (facts, message) => logger.info(facts, message),
    warn: (facts, message) => logger.warn(facts, message),
  }
}

/** Never throws: a log that cannot be written must not stop the daemon. */
class BoundedFile {
  readonly #path: string
  #descriptor: number | undefined
  #size = 0

  constructor(path: string) {
    this.#path = path
  }

  write(line: string): void {
    try {
      if (this.#descriptor === undefined) this.#open()
      if (this.#size + Buffer.byteLength(line) > bytesMax) this.#begin()
      this.#size += writeSync(this.#descriptor as number, line)
    } catch {
      // A full disk, a read-only one: the next line tries again.
    }
  }

  #open(): void {
    this.#descriptor = openSync(this.#path, 'a', 0o600)
    this.#size = fstatSync(this.#descriptor).size
  }

  #begin(): void {
    closeSync(this.#descriptor as number)
    this.#descriptor = undefined
    renameSync(this.#path, earlierLogPath(this.#path))
    this.#open()
  }
}
