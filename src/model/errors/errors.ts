import type { ErrorKind } from './codes.ts'
import { GriteError } from './grite-error.ts'

/**
 * An argument, option or field has a value that is not allowed. The message names the field, the value and the allowed
 * values.
 */
export class InvalidArgsError extends GriteError {
  readonly kind = 'invalidArgs'
}

/** Text is not a valid id: wrong length, or characters that are not hexadecimal. */
export class IdParseError extends GriteError {
  readonly kind = 'idParse'
}

/** A configuration file is not valid TOML or holds a value of the wrong type. */
export class ConfigError extends GriteError {
  readonly kind = 'config'
}

/** The requested thing does not exist. */
export class NotFoundError extends GriteError {
  readonly kind = 'notFound'
}

/** Another writer changed or holds what this command wanted to change. */
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

/** Disk full, read-only file system or missing permission: nothing was acknowledged and no ref moved. */
export class StorageError extends GriteError {
  readonly kind = 'io'
}

/** The command needs the git program, which is not installed. */
export class GitNotFoundError extends StorageError {}

/**
 * A ref moved, but a later step failed, such as the flush of its folder: the write is there, but a power loss may undo
 * it. Never retry it. `details.written` is true, or `partly` when other refs of the same publish did not move.
 */
export class AfterWriteError extends GriteError {
  readonly kind = 'io'
}

/**
 * git refuses to use this repository: it belongs to another user, is bare where `safe.bareRepository` requires an
 * explicit name, or has a format that git or grite does not know. None of its configuration was used.
 */
export class RepositoryRefusedError extends GriteError {
  readonly kind = 'io'
}

/**
 * A part of the log is missing here, and the command needs it. Nothing was written. `details.gaps` lists the missing
 * parts.
 */
export class IncompleteLogError extends GriteError {
  readonly kind = 'incompleteLog'
}

/**
 * A remote is unreachable or refuses a push. `details.reason` is `unreachable`, `silent` (it stopped answering),
 * `denied` (credentials, permissions), `rejected` (a hook, a rule, a kind of ref that the host refuses) or `signatures`
 * (it holds events that the settings of this clone refuse).
 */
export class RemoteError extends GriteError {
  readonly kind = 'remote'
}

/** The git program is missing, too old, or failed in a way that no other error names. */
export class GitError extends GriteError {
  readonly kind = 'internal'
}

/** Bytes in the repository do not match their name or format. Fails closed; the log reader skips and reports them. */
export class CorruptObjectError extends GriteError {
  readonly kind: ErrorKind = 'internal'
}

/**
 * Records of a stream are missing, unreadable or contradict each other. Nothing was changed. `details` names the stream,
 * and where known the ref, the object, the journal, and the offsets.
 */
export class DamagedStreamError extends CorruptObjectError {
  override readonly kind = 'damagedStream'
}

/** An object exceeds the size limit of its reader; it was not loaded. */
export class ObjectTooLargeError extends GriteError {
  readonly kind = 'internal'
}

/** A snapshot is unusable: damaged, incomplete, or not of this log. Its data is available without it. */
export class UnusableSnapshotError extends GriteError {
  readonly kind = 'internal'

  /** The reason, without the name of the snapshot. */
  get reason(): string {
    return typeof this.details.reason === 'string' ? this.details.reason : this.message
  }
}

/** A bug in grite itself. */
export class InternalError extends GriteError {
  readonly kind = 'internal'
}

/** The daemon did not answer, or its connection broke. Whether a request was carried out is in doubt unless the message says so. */
export class IpcError extends GriteError {
  readonly kind = 'ipc'
}
