import { IdParseError } from './errors/index.ts'
import { shortenText } from './foreign/describe-foreign.ts'
import { parseHex } from './hex.ts'

declare const brand: unique symbol

/** 16 bytes as 32 lower-case hex characters: the writer of an event. One per device or agent. */
export type ActorId = string & { readonly [brand]: 'ActorId' }
/** 16 bytes as 32 lower-case hex characters. */
export type IssueId = string & { readonly [brand]: 'IssueId' }
/** 32 bytes as 64 lower-case hex characters: BLAKE2b-256 of the event's preimage. */
export type EventId = string & { readonly [brand]: 'EventId' }
/** SHA-256 as 64 lower-case hex characters. */
export type Sha256Hex = string & { readonly [brand]: 'Sha256Hex' }

const actorIdBytes = 16
export const issueIdBytes = 16
export const eventIdBytes = 32

/** Parses a full id. @throws {IdParseError} on a wrong length or a character that is not hexadecimal */
export function parseActorId(text: string): ActorId {
  return parseId(text, actorIdBytes, 'actor id') as ActorId
}

/** True for an actor id as stored. Lock owners may be any text, because other tools write them, too. */
export function isActorId(text: string): text is ActorId {
  return /^[0-9a-f]{32}$/.test(text)
}

/** Parses a full id. @throws {IdParseError} on a wrong length or a character that is not hexadecimal */
export function parseIssueId(text: string): IssueId {
  return parseId(text, issueIdBytes, 'issue id') as IssueId
}

/** Parses a full id. @throws {IdParseError} on a wrong length or a character that is not hexadecimal */
export function parseEventId(text: string): EventId {
  return parseId(text, eventIdBytes, 'event id') as EventId
}

/** Parses a SHA-256. @throws {IdParseError} on a wrong length or a character that is not hexadecimal */
export function parseSha256(text: string): Sha256Hex {
  return parseId(text, 32, 'SHA-256') as Sha256Hex
}

/** UTF-16 units of the invalid text that an error message quotes. */
const shownLengthMax = 80

function parseId(text: string, byteLength: number, what: string): string {
  const bytes = parseHex(text)
  if (bytes === undefined || bytes.length !== byteLength) {
    const shown = shortenText(text, shownLengthMax)
    throw new IdParseError(`${what} '${shown}' is not ${byteLength * 2} hexadecimal characters`, {
      details: { field: what, value: shown },
    })
  }
  return text.toLowerCase()
}
