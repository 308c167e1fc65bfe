/** The envelope of content that is stored elsewhere: who made it, what it is about, and how to tell that it is unchanged. */
import { InvalidArgsError } from '../../errors/index.ts'
import { formatHex } from '../../hex.ts'
import { sha256 } from '../merkle.ts'
import { checkFacts, type Field, type Fields, labels, optional, type TextLabels, text, whole } from './fields.ts'

/** Content by reference. The reference is a name that the reader resolves; no scheme is imposed. */
export interface ArtifactContent {
  readonly artifactRef: string
  readonly contentType: string
  readonly byteLength: number
  /** `sha256:` and 64 hex, or another digest that its reader understands. */
  readonly digest: string
  readonly contentEncoding?: string | undefined
}

export interface ArtifactFacts extends ArtifactContent {
  readonly artifactId: string
  readonly artifactKind: string
  readonly producerId: string
  readonly createdTs: number
  /** What it is about: a position, a task, a message. */
  readonly subjectRef: string
  readonly retentionClass?: string | undefined
  /** The beginning of the content, or a description: at most 4 KiB. */
  readonly preview?: string | undefined
  readonly labels?: TextLabels | undefined
}

/** A record that describes content. Its role is the label `artifact_role`. */
export interface Artifact extends ArtifactFacts {
  readonly type: 'artifact'
  readonly labels: TextLabels
}

/** A preview is shown before the content is fetched; long texts are content. */
const previewBytesMax = 4096
const utf8 = new TextEncoder()

const preview: Field<string> = {
  allowed: `text that is not blank, of at most ${previewBytesMax} bytes`,
  accepts: (value) => text.accepts(value) && utf8.encode(value as string).length <= previewBytesMax,
  isOptional: false,
}

export const artifactFields: Fields<Omit<Artifact, 'type'>> = {
  artifactId: text,
  artifactKind: text,
  artifactRef: text,
  contentType: text,
  contentEncoding: optional(text),
  byteLength: whole,
  digest: text,
  producerId: text,
  createdTs: whole,
  subjectRef: text,
  retentionClass: optional(text),
  preview: optional(preview),
  labels,
}

/** Builds an artifact. @throws {InvalidArgsError} naming the field */
export function artifact(facts: ArtifactFacts): Artifact {
  const made: Artifact = { type: 'artifact', ...facts, labels: facts.labels ?? {} }
  checkFacts(artifactFields, made)
  return made
}

/** Builds a summary of its subject. */
export function summaryArtifact(facts: ArtifactFacts, summaryKind: string): Artifact {
  return artifactWithRole(facts, 'summary', { summary_kind: summaryKind })
}

/** Builds a reference back to its subject. */
export function backlinkArtifact(facts: ArtifactFacts, backlinkKind: string): Artifact {
  return artifactWithRole(facts, 'backlink', { backlink_kind: backlinkKind })
}

/** Builds the description of what a merge decided. */
export function mergeOutcomeArtifact(facts: ArtifactFacts, outcomeKind: string): Artifact {
  return artifactWithRole(facts, 'merge_outcome', { merge_outcome_kind: outcomeKind })
}

/** @param own - labels that the role prescribes; the caller may not give others under these names */
export function artifactWithRole(facts: ArtifactFacts, role: string, own: TextLabels): Artifact {
  return artifact({ ...facts, labels: joinLabels({ artifact_role: role, ...own }, facts.labels) })
}

const labelsField = { labels }

/** @throws {InvalidArgsError} when a caller's label is blank, or has a name with `=` or one that the builder sets to another value */
export function joinLabels(own: TextLabels, given: TextLabels = {}): TextLabels {
  checkFacts(labelsField, { labels: given })
  for (const [name, value] of Object.entries(given)) {
    if (name.includes('=')) {
      throw new InvalidArgsError(`label '${name}' has a '=' in its name`, { details: { field: 'labels', value: name } })
    }
    if (!Object.hasOwn(own, name) || own[name] === value) continue
    throw new InvalidArgsError(`label '${name}' is set to '${own[name]}' by the builder`, {
      details: { field: 'labels', value: name },
    })
  }
  return { ...given, ...own }
}

/** Describes content by its length and SHA-256. */
export function describeContent(
  bytes: Uint8Array,
  { artifactRef, contentType }: Pick<ArtifactContent, 'artifactRef' | 'contentType'>,
): ArtifactContent {
  return { artifactRef, contentType, byteLength: bytes.length, digest: digestOf(bytes) }
}

/** Describes a short text that is part of the reference itself: `inline:` and the text. */
export function inlineContent(content: string): ArtifactContent {
  const contentType = 'text/plain; charset=utf-8'
  return describeContent(utf8.encode(content), { artifactRef: `inline:${content}`, contentType })
}

/** Whether these are the bytes that an artifact describes; null when its digest is not SHA-256. */
export function matchesArtifact(
  { byteLength, digest }: Pick<ArtifactContent, 'byteLength' | 'digest'>,
  bytes: Uint8Array,
): boolean | null {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return null
  return byteLength === bytes.length && digest === digestOf(bytes)
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${formatHex(sha256(bytes))}`
}
