import { InvalidArgsError } from './errors/index.ts'
import { makeVisible } from './visible-text.ts'

/** Allowed link schemes. Following such a link never runs a program. */
export const linkSchemes = ['https', 'http', 'mailto', 'ssh', 'git', 'ftp', 'ftps', 'sftp'] as const

/**
 * Requires a link that a writer may add: a URL with an allowed scheme, or a path without a scheme. Readers show any
 * link.
 * @throws {InvalidArgsError} on another scheme, and on spaces and control characters, which browsers drop from schemes
 */
export function requireLinkUrl(url: string): void {
  const details = { field: 'url', value: url, allowed: linkSchemes }
  if (/[\s\p{Cc}]/u.test(url.trim()) || url.trim() !== url) {
    throw new InvalidArgsError(`url must not have spaces or control characters, got '${makeVisible(url)}'`, { details })
  }
  const scheme = /^([^/?#]*?):/.exec(url)?.[1]
  if (scheme === undefined || (linkSchemes as readonly string[]).includes(scheme.toLowerCase())) return
  throw new InvalidArgsError(
    `url must begin with one of ${linkSchemes.map((each) => `${each}:`).join(', ')}, got '${makeVisible(scheme)}:'`,
    { details },
  )
}
