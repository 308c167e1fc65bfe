import { InvalidArgsError } from '../../model/index.ts'

const lengthMax = 1024

/**
 * A glob for whole paths, case-sensitive: `*` is any text, slashes included, `?` one character, `[a-z]` and `[!a-z]` one of a
 * set; a backslash takes the next character as it is.
 * @throws {InvalidArgsError} when it is empty, too long, or has an open bracket
 */
export function pathPattern(glob: string): RegExp {
  if (glob === '' || glob.length > lengthMax) throw refused(glob, `a glob of 1 to ${lengthMax} characters`)
  let text = ''
  for (let at = 0; at < glob.length; at++) {
    const letter = glob[at] as string
    if (letter === '*') text += text.endsWith('.*') ? '' : '.*'
    else if (letter === '?') text += '.'
    else if (letter === '[') {
      const end = glob.indexOf(']', at + 2)
      if (end < 0) throw refused(glob, 'a glob whose brackets are closed')
      const inner = glob.slice(at + 1, end).replace(/[\\\]^[]/g, '\\$&')
      text += inner.startsWith('!') ? `[^${inner.slice(1)}]` : `[${inner}]`
      at = end
    } else {
      if (letter === '\\' && at + 1 < glob.length) at += 1
      text += (glob[at] as string).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    }
  }
  try {
    return new RegExp(`^${text}$`, 's')
  } catch (cause) {
    throw refused(glob, 'a glob whose sets have rising ranges', cause)
  }
}

function refused(glob: string, allowed: string, cause?: unknown): InvalidArgsError {
  return new InvalidArgsError(`--pattern must be ${allowed}, got '${glob}'`, {
    details: { field: 'pattern', value: glob, allowed },
    cause,
  })
}
