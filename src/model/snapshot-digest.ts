import { blake2b256 } from './hash.ts'
import { parseHex } from './hex.ts'
import type { ActorId } from './ids.ts'

/** The files of a snapshot that its signature covers (docs/format.md#signature-of-a-snapshot). */
export interface SignedSnapshotFiles {
  /** `snapshot.json`, which holds the hashes of the chunks. */
  readonly facts: Uint8Array
  /** `ext/report.json`, null without one. */
  readonly report: Uint8Array | null
  /** `ext/orphans.cbor`, null without one. */
  readonly orphans: Uint8Array | null
  /** SHA-256 of each attachment content, 64 hex characters, in any order. */
  readonly attachments: readonly string[]
}

const domain = new TextEncoder().encode('grite:snapshot:v1:')
const absent = new Uint8Array(32)

/** The 32 bytes that the maker of a snapshot signs. */
export function snapshotDigest(
  actor: ActorId,
  { facts, report, orphans, attachments }: SignedSnapshotFiles,
): Uint8Array {
  return blake2b256(
    domain,
    bytesOf(actor),
    blake2b256(facts),
    report === null ? absent : blake2b256(report),
    orphans === null ? absent : blake2b256(orphans),
    attachments.length === 0 ? absent : blake2b256(...[...attachments].sort().map(bytesOf)),
  )
}

function bytesOf(hex: string): Uint8Array {
  const bytes = parseHex(hex)
  if (bytes === undefined) throw new TypeError(`'${hex}' is not hex`)
  return bytes
}
