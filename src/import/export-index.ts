/**
 * Indexes a JSON export of grite or the Rust tool (spec §6.6) in one pass that keeps ids and positions, but no
 * contents:
 *
 *     { "meta": { "schema_version": 1, … }, "issues": […], "events": […], "attachments"?: { "<sha256>": "<base64>" } }
 *
 * Bounds are checked while bytes arrive, before a value is built; every event is verified.
 */
import { Tokenizer, TokenizerError, TokenParser, TokenParserError, TokenType } from '@streamparser/json'
import {
  type ActorId,
  compareVersions,
  describeForeign,
  type Event,
  type EventId,
  InvalidArgsError,
  type IssueId,
  limits,
  type Sha256Hex,
  shortenText,
} from '../model/index.ts'
import { readExportedEvent, statedEventId } from './grite-event.ts'

/** The position of a value in the file. Bytes; the end is exclusive, and whitespace may precede the value. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** The ids of a verified event, and the position of its content. */
export interface IndexedEvent extends ByteRange {
  readonly eventId: EventId
  readonly issueId: IssueId
  readonly actor: ActorId
  readonly tsUnixMs: number
}

export interface SkippedEvent {
  /** 0-based index in `events`. */
  readonly index: number
  /** As stated; null without one. */
  readonly eventId: string | null
  readonly reason: string
}

export interface ExportIndex {
  /** By issue, then in version order; including copies. */
  readonly events: readonly IndexedEvent[]
  /** The first events that cannot be restored; `skippedCount` counts all. */
  readonly skipped: readonly SkippedEvent[]
  readonly skippedCount: number
  /** Base64 texts by SHA-256. The caller verifies that the content matches. */
  readonly attachments: ReadonlyMap<Sha256Hex, ByteRange>
  /** Attachments that are not base64 or whose name is not a SHA-256. */
  readonly skippedAttachmentCount: number
}

/** Fits the largest loadable content in base64, and an event with all its texts. */
const valueBytesMax = 2 * limits.chunkReadBytesMax
/** Tokens of one event: a value may take many times the memory of its text. */
const tokensMax = 2_000_000
/** Characters of a number. */
const numberLengthMax = 1000
/** A hostile file may contain nothing else. */
const skippedKeptMax = 1000

const byteOrderMark = [0xef, 0xbb, 0xbf]

/** Bytes of a text that the tokenizer buffers before it creates a string. */
const stringBufferBytes = 64 * 1024

type TokenInfo = Parameters<Tokenizer['onToken']>[0]
type ValueInfo = Parameters<TokenParser['onValue']>[0]

/**
 * Indexes an export: push its bytes, then call `finish` for the index.
 *
 * Every method throws `InvalidArgsError` when the bytes are not JSON, do not have the shape of an export, or exceed a
 * bound.
 */
export class ExportIndexer {
  readonly #tokenizer = new Tokenizer({ stringBufferSize: stringBufferBytes, emitPartialTokens: true })
  readonly #parser = new TokenParser({ paths: ['$.*.*'], keepStack: false })
  readonly #shared = new Map<string, string>()
  readonly #events: IndexedEvent[] = []
  readonly #skipped: SkippedEvent[] = []
  #skippedCount = 0
  readonly #attachments = new Map<Sha256Hex, ByteRange>()
  #skippedAttachmentCount = 0
  #eventCount = 0
  #schemaVersion: unknown
  #hasEvents = false

  /** Bytes pushed so far, and those of a byte order mark, which the tokenizer does not count. */
  #pushed = 0
  #markBytes = 0
  /** Start of the current number. */
  #numberStart: number | undefined
  #depth = 0
  #isKeyNext = false
  #section = ''
  /** Start of the current member of a section. */
  #valueStart = 0
  #valueTokens = 0
  #tokenEnd = 0
  /** An attachment whose end is known at the next token. */
  #open: { readonly name: Sha256Hex; readonly start: number } | undefined

  constructor() {
    this.#tokenizer.onToken = (token) => this.#takeToken(token)
    this.#parser.onValue = (value) => this.#takeValue(value)
  }

  push(chunk: Uint8Array): void {
    this.#takeMark(chunk)
    this.#pushed += chunk.length
    this.#attempt(() => this.#tokenizer.write(chunk))
    // The value extends at least to here, even if its tokens have not arrived.
    if (this.#depth >= 2) this.#requireBounds(this.#pushed)
    if (this.#numberStart !== undefined && this.#pushed - this.#numberStart > numberLengthMax) {
      throw new InvalidArgsError(`export has a number of more than ${numberLengthMax} characters`)
    }
  }

  #takeMark(chunk: Uint8Array): void {
    for (let at = this.#pushed; at < byteOrderMark.length && at === this.#markBytes; at++) {
      if (chunk[at - this.#pushed] !== byteOrderMark[at]) return
      this.#markBytes += 1
    }
  }

  /** Ends the file. */
  finish(): ExportIndex {
    this.#attempt(() => {
      if (!this.#tokenizer.isEnded) this.#tokenizer.end()
    })
    if (!this.#parser.isEnded) throw new InvalidArgsError('export is not JSON: unexpected end of file')
    if (this.#schemaVersion === undefined || !this.#hasEvents) throw notAnExport()
    if (this.#schemaVersion !== 1) {
      throw new InvalidArgsError(
        `export has schema version ${describeForeign(this.#schemaVersion)}; only 1 is supported`,
      )
    }
    return {
      events: this.#events.sort(compareByIssue),
      skipped: this.#skipped,
      skippedCount: this.#skippedCount,
      attachments: this.#attachments,
      skippedAttachmentCount: this.#skippedAttachmentCount,
    }
  }

  #attempt(read: () => void): void {
    try {
      read()
    } catch (error) {
      const isText =
        error instanceof TypeError && (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      if (isText) throw new InvalidArgsError('export is not valid UTF-8')
      if (!(error instanceof TokenizerError || error instanceof TokenParserError)) throw error
      throw new InvalidArgsError(`export is not JSON: ${shortenText(error.message, 160)}`)
    }
  }

  #takeToken(token: TokenInfo): void {
    const start = this.#markBytes + token.offset
    // The tokenizer swallows errors thrown for a part of a number.
    const isPart = 'partial' in token && token.partial === true
    this.#numberStart = isPart && token.token === TokenType.NUMBER ? start : undefined
    if (isPart) return
    this.#closeAttachment(start)
    this.#tokenEnd = start + 1
    const { token: type } = token
    if (this.#depth === 0 && type !== TokenType.LEFT_BRACE) throw notAnExport()
    if (this.#depth === 1) this.#takeOuterToken(token)
    if (this.#depth === 2) {
      this.#valueStart = start
      this.#valueTokens = 0
    }
    if (this.#depth >= 2) {
      this.#valueTokens += 1
      this.#requireBounds(start)
    }
    if (type === TokenType.LEFT_BRACE || type === TokenType.LEFT_BRACKET) {
      this.#depth += 1
      this.#isKeyNext = this.#depth === 1
      if (this.#depth > limits.foreignDepthMax) {
        throw new InvalidArgsError(`export is nested deeper than ${limits.foreignDepthMax} levels`)
      }
    } else if (type === TokenType.RIGHT_BRACE || type === TokenType.RIGHT_BRACKET) {
      this.#depth -= 1
    }
    this.#parser.write(token)
  }

  /** Handles a token between the sections of the document. */
  #takeOuterToken({ token, value }: TokenInfo): void {
    if (token === TokenType.COMMA) this.#isKeyNext = true
    else if (token === TokenType.STRING && this.#isKeyNext) {
      this.#section = value as string
      this.#isKeyNext = false
    } else if (token === TokenType.LEFT_BRACKET && this.#section === 'events') this.#hasEvents = true
  }

  #requireBounds(end: number): void {
    if (end - this.#valueStart <= valueBytesMax && this.#valueTokens <= tokensMax) return
    throw new InvalidArgsError(
      `export has a value of more than ${valueBytesMax} bytes or ${tokensMax} tokens at byte ${this.#valueStart}`,
    )
  }

  #takeValue({ key, value, parent }: ValueInfo): void {
    if (this.#section === 'meta' && key === 'schema_version') this.#schemaVersion = value
    else if (this.#section === 'events' && Array.isArray(parent)) this.#takeEvent(value)
    else if (this.#section === 'attachments') this.#takeAttachment(key, value)
  }

  #takeEvent(value: unknown): void {
    const index = this.#eventCount++
    const event = readExportedEvent(value)
    if (typeof event === 'string') {
      this.#skippedCount += 1
      if (this.#skipped.length < skippedKeptMax) {
        this.#skipped.push({ index, eventId: statedEventId(value), reason: event })
      }
      return
    }
    const { eventId, tsUnixMs } = event
    const [issueId, actor] = [this.#share(event.issueId), this.#share(event.actor)]
    this.#events.push({ eventId, issueId, actor, tsUnixMs, start: this.#valueStart, end: this.#tokenEnd })
  }

  #takeAttachment(name: unknown, value: unknown): void {
    const isNamed = typeof name === 'string' && /^[0-9a-f]{64}$/.test(name)
    if (isNamed && typeof value === 'string' && isBase64(value)) {
      this.#open = { name: name as Sha256Hex, start: this.#valueStart }
    } else this.#skippedAttachmentCount += 1
  }

  #closeAttachment(end: number): void {
    if (this.#open === undefined) return
    this.#attachments.set(this.#open.name, { start: this.#open.start, end })
    this.#open = undefined
  }

  /** Returns equal ids as one string, so that a million events do not hold a million copies of their issues' ids. */
  #share<Text extends string>(text: Text): Text {
    const known = this.#shared.get(text)
    if (known === undefined) this.#shared.set(text, text)
    return (known ?? text) as Text
  }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function notAnExport(): InvalidArgsError {
  return new InvalidArgsError('export has no `meta` and `events`')
}

type Placed = Pick<Event, 'issueId' | 'tsUnixMs' | 'actor' | 'eventId'>

function compareByIssue(left: Placed, right: Placed): number {
  if (left.issueId !== right.issueId) return left.issueId < right.issueId ? -1 : 1
  return compareVersions(left, right)
}
