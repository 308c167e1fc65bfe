import { base32hex } from './base32hex.ts'
import { blake2b160 } from './hash.ts'

/** The part of `origin`, as most remotes are called: computing it would take 2 ms of a short command. */
const partOfOrigin = 'og5hhvmaolrg1vaee3ofe2ikd27corpd'

/** Encodes any text as one part of a path or ref name: base32hex, lower case, of its BLAKE2b-160. */
export function encodeNamePart(text: string): string {
  return text === 'origin' ? partOfOrigin : base32hex(blake2b160(new TextEncoder().encode(text)))
}
