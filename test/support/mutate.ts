/** Reproducible damage to files: flipped bytes, and values that no writer writes but a parser may meet. */

export type Random = (below: number) => number

/** Returns a generator of whole numbers below a bound, from a seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random(items.length)] as Item
}

/** Returns a copy of one of the files with one to four changes. */
export function mutate(random: Random, files: readonly Buffer[], isText: boolean): Buffer {
  let bytes = pick(random, files)
  for (let count = 1 + random(4); count > 0; count--) {
    bytes = isText && random(3) > 0 ? replaceToken(random, bytes) : damage(random, bytes, files)
  }
  return bytes
}

const nested = (count: number) => '['.repeat(count) + ']'.repeat(count)
/** Replacements for a value, a key or a punctuation mark of JSON. */
const oddTokens = [
  ...['{"toString":1,"valueOf":1,"toJSON":1}', '{"__proto__":{"a":1}}', '"__proto__"', '"constructor"', '"length"'],
  ...[
    '9007199254740991',
    '9007199254740992',
    '18446744073709551615',
    '1e999',
    '-1e999',
    '1e-400',
    '-0',
    '-1',
    '0',
    '.5',
  ],
  ...['null', 'true', '""', '[]', '{}', '"\\ud800"', '"\\u0000"', '"\\u2028\\u202e\\u009b[2J"', '"\u2028\u202e\u009b"'],
  ...[nested(60), nested(300), `"${'x'.repeat(5000)}"`, '9'.repeat(400), '\u2028', '\ufeff', '"', '\\', ',', '}', '\n'],
]
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[[\]{},:]/g

function replaceToken(random: Random, bytes: Buffer): Buffer {
  const text = bytes.toString('utf8')
  const found = [...text.matchAll(token)]
  if (found.length === 0) return bytes
  const { 0: old, index } = pick(random, found)
  // Sometimes another token of the file: a valid value in the wrong place.
  const put = random(3) === 0 ? pick(random, found)[0] : pick(random, oddTokens)
  return Buffer.from(text.slice(0, index) + put + text.slice(index + old.length))
}

const oddBytes = [0x00, 0x0a, 0x20, 0x7f, 0x80, 0x9b, 0x9f, 0x5b, 0x5f, 0x7b, 0xbf, 0xc1, 0xd8, 0xf6, 0xf7, 0xfb, 0xff]

function damage(random: Random, bytes: Buffer, files: readonly Buffer[]): Buffer {
  const at = random(bytes.length + 1)
  const end = Math.min(bytes.length, at + 1 + random(random(4) === 0 ? 2000 : 12))
  const [before, range, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)]
  switch (random(7)) {
    case 0:
      return Buffer.concat([before, range.map((byte) => byte ^ (1 << random(8))), after])
    case 1:
      return Buffer.concat([before, range.map(() => pick(random, oddBytes)), after])
    case 2:
      return before
    case 3:
      return Buffer.concat([before, after])
    case 4:
      return Buffer.concat([before, ...Array<Buffer>(1 + random(64)).fill(range), after])
    case 5:
      return Buffer.concat([before, Buffer.from([pick(random, oddBytes), pick(random, oddBytes)]), range, after])
    default: {
      const other = pick(random, files)
      return Buffer.concat([before, other.subarray(random(other.length + 1))])
    }
  }
}
