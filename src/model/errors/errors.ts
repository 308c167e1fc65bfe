import { GriteError } from './grite-error.ts'

/** An argument, option or field has a value that is not allowed. The message names the field, the value and what is. */
export class InvalidArgsError extends GriteError {
  readonly kind = 'invalidArgs'
}

/** Text that should be an id is not one: wrong length, or characters that are not hexadecimal. */
export class IdParseError extends GriteError {
  readonly kind = 'idParse'
}

/** A configuration file is not valid TOML or holds a value of the wrong type. */
export class ConfigError extends GriteError {
  readonly kind = 'config'
}

/** What was asked for does not exist. */
export class NotFoundError extends GriteError {
  readonly kind = 'notFound'
}

/** Somebody else changed or holds what this command wanted to change. */
export class ConflictError extends GriteError {
  readonly kind = 'conflict'
}

/** A ref moved between our read and our write. Safe to retry from `details.found`. */
export class RefMovedError extends GriteError {
  readonly kind = 'conflict'
  constructor(
    readonly ref: string,
    readonly expected: string | null,
    readonly found: string | null,
  ) {
    super(`${ref} moved: expected ${expected ?? 'no ref'}, found ${found ?? 'no ref'}`, {
      details: { ref, expected, found },
    })
  }
}

/** Another process's lock on a ref outlived the wait. */
export class RefLockedError extends GriteError {
  readonly kind = 'conflict'
  constructor(
    readonly ref: string,
    readonly lockPath: string,
    waitedMs: number,
  ) {
    super(`${ref} is locked by another process (${lockPath}); waited ${waitedMs} ms`, {
      details: { ref, lock_path: lockPath, waited_ms: waitedMs },
      hints: ['If no git or grite process is running here, the lock file was left by a crash of another program'],
    })
  }
}

/** Disk full, read-only file system, missing permission: nothing was acknowledged and no ref has moved. */
export class StorageError extends GriteError {
  readonly kind = 'io'
}

/** The git program is not on this machine, and what was asked for needs it. */
export class GitNotFoundError extends StorageError {}

/**
 * A ref has moved and a step after it failed, such as the flush of its folder: the write is there, but a loss of power
 * may undo it. Never retry it. `details.written` is true, or `partly` when other refs of the same publish did not move.
 */
export class AfterWriteError extends GriteError {
  readonly kind = 'io'
}

/**
 * git will not use the repository that lies here: it belongs to another user, is bare where `safe.bareRepository` asks for
 * an explicit name, or has a format that git or grite does not know. Nothing of its configuration was used.
 */
export class RepositoryRefusedError extends GriteError {
  readonly kind = 'io'
}

/**
 * A part of the log is not here, and what was asked for cannot be done without it. Nothing was written. `details.gaps` lists
 * what is missing.
 */
export class IncompleteLogError extends GriteError {
  readonly kind = 'incompleteLog'
}

/**
 * A remote cannot be reached, or does not take what was sent. `details.reason` is `unreachable`, `silent` (it
 * stopped answering), `denied` (credentials, permissions), `rejected` (a hook, a rule, a kind of ref that the host does not take) or `signatures` (it holds events
 * that the settings of this clone do not let in).
 */
export class RemoteError extends GriteError {
  readonly kind = 'remote'
}

/** The git program is missing, too old, or failed in a way that has no better name. */
export class GitError extends GriteError {
  readonly kind = 'internal'
}

/** Bytes in the repository are not what their name or format says. Fails closed; the log reader skips and reports. */
export class CorruptObjectError extends GriteError {
  readonly kind = 'internal'
}

/** An object is larger than the limit of the reader; it was not loaded. */
export class ObjectTooLargeError extends GriteError {
  readonly kind = 'internal'
}

/** A snapshot cannot be used: damaged, not all here, or not one of this log. What it shortens can be had without it. */
export class UnusableSnapshotError extends GriteError {
  readonly kind = 'internal'

  /** Why, without the name of the snapshot. */
  get reason(): string {
    return typeof this.details.reason === 'string' ? this.details.reason : this.message
  }
}

/** A failure that is a defect of grite itself. */
export class InternalError extends GriteError {
  readonly kind = 'internal'
}
