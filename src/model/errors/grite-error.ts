import { type ErrorCode, type ErrorKind, errorKinds } from './codes.ts'

/** Facts about a failure, keyed as they appear in the JSON envelope's `details`. */
export type ErrorDetails = Readonly<Record<string, unknown>>

export interface GriteErrorOptions {
  readonly details?: ErrorDetails
  readonly cause?: unknown
  /** Replaces the hints of the kind. */
  readonly hints?: readonly string[]
}

/**
 * A failure that a correct program can meet. The thrower states facts; the layer that can act decides on a retry; only
 * the command line decides words and exit status. Never branch on `message`: use the class, `kind` or `code`.
 */
export abstract class GriteError extends Error {
  abstract readonly kind: ErrorKind
  private ownDetails: ErrorDetails
  private readonly ownHints: readonly string[] | undefined

  constructor(message: string, options: GriteErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.ownDetails = options.details ?? {}
    this.ownHints = options.hints
  }

  get details(): ErrorDetails {
    return this.ownDetails
  }

  /** Adds facts that only a caller of the thrower knows, such as earlier writes. */
  addDetails(details: ErrorDetails): void {
    this.ownDetails = { ...this.ownDetails, ...details }
  }

  /** A copy of this failure for another affected command, which can add its own facts. */
  copy(): this {
    return Object.create(Object.getPrototypeOf(this), Object.getOwnPropertyDescriptors(this)) as this
  }

  get code(): ErrorCode {
    return errorKinds[this.kind].code
  }

  get exitStatus(): number {
    return errorKinds[this.kind].exit
  }

  get hints(): readonly string[] {
    return this.ownHints ?? errorKinds[this.kind].hints
  }
}
