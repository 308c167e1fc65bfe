/** Facts about the project under keys of the user's choice. Keys that grite itself uses are hidden. */
import {
  type EventId,
  InvalidArgsError,
  limits,
  makeVisible,
  memoryPrefix,
  NotFoundError,
  nearWords,
  type ProjectContext,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { Draft } from '../draft.ts'

/** All keys of grite's own begin with one of these, see docs/format.md, "Reserved keys". */
const reservedPrefixes = ['grite.', memoryPrefix]

export interface ProjectEntry {
  readonly key: string
  readonly value: string
  readonly version: ProjectContext['version']
}

/** The set keys, in byte order. An empty value removes a key. */
export async function listProjectEntries(view: View): Promise<ProjectEntry[]> {
  return (await view.projectContexts()).map(entryOf).filter(({ key, value }) => value !== '' && !isReserved(key))
}

/** @throws {NotFoundError} with similar keys */
export async function requireProjectEntry(view: View, key: string): Promise<ProjectEntry> {
  const found = await view.findProjectContext(key)
  if (found !== undefined && found.body.value !== '') return entryOf(found)
  const near = nearWords(
    key,
    (await listProjectEntries(view)).map((entry) => entry.key),
  )
  throw new NotFoundError(`no value is set for '${makeVisible(key)}'`, {
    details: { field: 'key', value: key },
    hints: [
      ...near.map((each) => `Did you mean '${makeVisible(each)}'?`),
      'Run `grite context project` to see all keys',
    ],
  })
}

export interface ProjectChange {
  /** Null when the key already has the value. */
  readonly eventId: EventId | null
  /** The value before; null when there was none. */
  readonly replaced: string | null
}

/** Drafts a value. @throws {InvalidArgsError} on a reserved key, or a key or value that is empty or too long */
export async function setProjectEntry(draft: Draft, key: string, value: string): Promise<ProjectChange> {
  requireKey(key)
  if (value === '') {
    throw new InvalidArgsError('value must not be empty', {
      details: { field: 'value', value },
      hints: ['`grite context unset <key>` removes a key'],
    })
  }
  requireBytes('value', value, limits.contextValueBytesMax)
  const replaced = (await (await draft.view()).findProjectContext(key))?.body.value || null
  if (replaced === value) return { eventId: null, replaced: null }
  return { eventId: (await draft.setProjectContext(key, value)).eventId, replaced }
}

/** Drafts the removal of a key. @throws {NotFoundError} when it has no value */
export async function unsetProjectEntry(draft: Draft, key: string): Promise<ProjectChange> {
  requireKey(key)
  const { value } = await requireProjectEntry(await draft.view(), key)
  return { eventId: (await draft.setProjectContext(key, '')).eventId, replaced: value }
}

function entryOf({ body, version }: ProjectContext): ProjectEntry {
  return { key: body.key, value: body.value, version }
}

/** Whether grite itself uses the key. */
export function isReserved(key: string): boolean {
  return reservedPrefixes.some((prefix) => key.startsWith(prefix))
}

function requireKey(key: string): void {
  const allowed = `text of at most ${limits.contextKeyBytesMax} bytes that does not begin with ${reservedPrefixes.join(' or ')}`
  if (key.trim() !== '' && !isReserved(key) && !/[\0-\x1f\x7f]/.test(key)) {
    requireBytes('key', key, limits.contextKeyBytesMax)
    return
  }
  throw new InvalidArgsError(`key must be ${allowed}, got '${makeVisible(key)}'`, {
    details: { field: 'key', value: key, allowed },
    hints: key.startsWith(memoryPrefix) ? ['`grite remember` and `grite forget` change notes'] : [],
  })
}

function requireBytes(field: string, text: string, bytesMax: number): void {
  if (!text.isWellFormed()) {
    throw new InvalidArgsError(`${field} is not valid Unicode (a lone surrogate)`, { details: { field } })
  }
  const bytes = Buffer.byteLength(text)
  if (bytes <= bytesMax) return
  throw new InvalidArgsError(`${field} has ${bytes} bytes; at most ${bytesMax} are allowed`, {
    details: { field, bytes, bytes_max: bytesMax },
  })
}
