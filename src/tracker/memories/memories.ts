/** Memories in the log: project keys `memory.<key>`. */
import {
  type ActorId,
  compareMemories,
  type EventId,
  formatMemory,
  InvalidArgsError,
  isMemoryKey,
  limits,
  type MemoryText,
  memoryContextKey,
  memoryPrefix,
  NotFoundError,
  nearWords,
  readMemory,
  shellWord,
  slugOf,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { Draft } from '../draft.ts'

/** A memory with its author and time. */
export interface KeptMemory extends MemoryText {
  readonly key: string
  readonly actor: ActorId
  readonly tsUnixMs: number
}

/** Reads the memories, newest first; `isCut` when the log has more keys than the limit. */
export async function readMemories(
  view: View,
): Promise<{ readonly memories: readonly KeptMemory[]; readonly isCut: boolean }> {
  const contexts = await view.projectContexts(memoryPrefix, limits.memoriesMax + 1)
  const memories = contexts.slice(0, limits.memoriesMax).flatMap(({ body, version }) => {
    const memory = readMemory(body.value)
    const key = body.key.slice(memoryPrefix.length)
    return memory === null ? [] : [{ key, ...memory, actor: version.actor, tsUnixMs: version.tsUnixMs }]
  })
  return { memories: memories.sort(compareMemories), isCut: contexts.length > limits.memoriesMax }
}

export interface NewMemory {
  readonly text: string
  /** Undefined to make one from the text. */
  readonly key: string | undefined
  /** Undefined to keep it, null for none. */
  readonly about: string | null | undefined
}

/** What a change of a memory did. */
export interface MemoryChange {
  readonly key: string
  readonly about: string | null
  /** Null when nothing had to be written. */
  readonly eventId: EventId | null
  /** The text before; null when there was none, or it stays. */
  readonly replaced: string | null
}

/** Drafts a memory. Without a key, a memory with the same text is the same. @throws {InvalidArgsError} */
export async function remember(draft: Draft, { text, key, about }: NewMemory): Promise<MemoryChange> {
  requireMemoryText(text)
  const view = await draft.view()
  const { chosen, present } = key === undefined ? await chooseKey(view, text) : await findKey(view, key)
  const memory = { text, about: about === undefined ? (present?.about ?? null) : about }
  const change = { key: chosen, about: memory.about }
  if (present?.text === text && present.about === memory.about) return { ...change, eventId: null, replaced: null }
  const { eventId } = await draft.setProjectContext(memoryContextKey(chosen), formatMemory(memory))
  return { ...change, eventId, replaced: present === null || present.text === text ? null : present.text }
}

function requireMemoryText(text: string): void {
  if (text.trim() === '') {
    throw new InvalidArgsError('text must not be empty', { details: { field: 'text', value: text } })
  }
  const bytes = Buffer.byteLength(text)
  if (bytes <= limits.memoryBytesMax) return
  throw new InvalidArgsError(`text must have at most ${limits.memoryBytesMax} bytes, got ${bytes}`, {
    details: { field: 'text', bytes, bytes_max: limits.memoryBytesMax },
    hints: ['Put a long text into an issue or a file, and remember where it is'],
  })
}

interface ChosenKey {
  readonly chosen: string
  readonly present: MemoryText | null
}

async function chooseKey(view: View, text: string): Promise<ChosenKey> {
  const { memories } = await readMemories(view)
  const same = memories.find((memory) => memory.text === text)
  if (same !== undefined) return { chosen: same.key, present: same }
  const taken = new Set(memories.map(({ key }) => key))
  for (;;) {
    const chosen = slugOf(text, (key) => !taken.has(key))
    // Beyond the limit of what is read there may be more.
    if ((await findMemory(view, chosen)) === null) return { chosen, present: null }
    taken.add(chosen)
  }
}

/** An imported memory keeps its key, whatever its characters. */
async function findKey(view: View, key: string): Promise<ChosenKey> {
  const present = await findMemory(view, key)
  if (present !== null || isMemoryKey(key)) return { chosen: key, present }
  const allowed = 'letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit'
  throw new InvalidArgsError(`--key must be ${allowed}, got '${key}'`, {
    details: { field: 'key', value: key, allowed },
  })
}

async function findMemory(view: View, key: string): Promise<MemoryText | null> {
  return readMemory((await view.findProjectContext(memoryContextKey(key)))?.body.value ?? '')
}

/** Drafts the removal of a memory. @throws {NotFoundError} suggesting similar keys */
export async function forget(draft: Draft, key: string): Promise<MemoryText & { readonly eventId: EventId }> {
  const view = await draft.view()
  const present = await findMemory(view, key)
  if (present !== null) {
    const { eventId } = await draft.setProjectContext(memoryContextKey(key), '')
    return { ...present, eventId }
  }
  const { memories } = await readMemories(view)
  const near = nearWords(key, memories.map((memory) => memory.key).filter(isMemoryKey))
  throw new NotFoundError(`no memory has the key '${key}'`, {
    details: { field: 'key', value: key },
    hints: [...near.map((each) => `Did you mean \`${shellWord(each)}\`?`), 'Run `grite recall` to see the memories'],
  })
}
