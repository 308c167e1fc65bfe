import { InvalidArgsError } from './errors/index.ts'
import { makeVisible } from './visible-text.ts'

/** Schemes of links. None of them makes a program run where somebody follows the link. */
export const linkSchemes = ['https', 'http', 'mailto', 'ssh', 'git', 'ftp', 'ftps', 'sftp'] as const

/**
 * A link as somebody may add it: an address with one of the schemes, or a path without any. Readers show any.
 * @throws {InvalidArgsError} on another scheme, and on spaces and control characters, which browsers leave out of schemes
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
