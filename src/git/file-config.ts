/** Values of a git config file by lower-case `section.key` (`section.sub.key` keeps the subsection's case), in order. */
export type FileConfig = ReadonlyMap<string, readonly string[]>

/**
 * Parses one git config file without following includes, as git itself does for `extensions.*`.
 * @returns null when a line is not understood: the caller then asks git
 */
export function parseFileConfig(text: string): FileConfig | null {
  const values = new Map<string, string[]>()
  let section = ''
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (let row = 0; row < lines.length; row++) {
    let line = (lines[row] ?? '').trim()
    const header = /^\[([-.A-Za-z0-9]+)(?:[ \t]+"((?:[^"\\]|\\.)*)")?\]\s*/.exec(line)
    if (header) {
      section = header[2] === undefined ? lower(header[1]) : `${lower(header[1])}.${header[2].replace(/\\(.)/g, '$1')}`
      line = line.slice(header[0].length)
    }
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    while (endsInBackslash(line) && row + 1 < lines.length) line = line.slice(0, -1) + (lines[++row] ?? '')
    const entry = /^([A-Za-z][-A-Za-z0-9]*)\s*(?:=\s*(.*))?$/.exec(line)
    const value = entry === null ? null : parseValue(entry[2])
    if (entry === null || value === null || section === '') return null
    const key = `${section}.${lower(entry[1])}`
    const known = values.get(key)
    if (known) known.push(value)
    else values.set(key, [value])
  }
  return values
}

/** The value git would use: the last one. */
export function lastValue(config: FileConfig, key: string): string | undefined {
  return config.get(key)?.at(-1)
}

/** Reads a git boolean; undefined when the key is absent, null when the value is not a boolean. */
export function booleanValue(config: FileConfig, key: string): boolean | null | undefined {
  const text = lastValue(config, key)?.toLowerCase()
  if (text === undefined) return undefined
  if (['true', 'yes', 'on', '1'].includes(text)) return true
  if (['false', 'no', 'off', '0', ''].includes(text)) return false
  return null
}

function lower(text: string | undefined): string {
  return (text ?? '').toLowerCase()
}

function endsInBackslash(line: string): boolean {
  return (/\\+$/.exec(line)?.[0].length ?? 0) % 2 === 1
}

// A key without `=` is true; quotes, escapes and trailing comments follow git-config(1).
function parseValue(raw: string | undefined): string | null {
  if (raw === undefined) return 'true'
  let value = ''
  let kept = 0
  let quoted = false
  for (let at = 0; at < raw.length; at++) {
    const char = raw[at] as string
    if (char === '"') {
      quoted = !quoted
    } else if (char === '\\') {
      const escaped = { n: '\n', t: '\t', b: '\b', '"': '"', '\\': '\\' }[raw[++at] ?? '']
      if (escaped === undefined) return null
      value += escaped
      kept = value.length
    } else if (!quoted && (char === '#' || char === ';')) {
      break
    } else {
      value += char
      if (quoted || !/\s/.test(char)) kept = value.length
    }
  }
  return quoted ? null : value.slice(0, kept)
}
