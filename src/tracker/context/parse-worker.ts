/** The program of a thread that reads and parses source files. */
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { parentPort } from 'node:worker_threads'
import type { LeftOut, ParseAnswer, ParseOrder } from './parse-messages.ts'
import { readSource } from './read-source.ts'
import { SymbolParser } from './symbol-parser.ts'

/** git looks at as many bytes to tell a binary file. */
const sniffedBytes = 8000

class Parsing {
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true })
  #parser: Promise<SymbolParser> | undefined
  #last: Promise<void> = Promise.resolve()

  /** Orders are answered one after the other, in the order in which they came. */
  readonly onOrder = (order: ParseOrder): void => {
    this.#last = this.#last.then(async () => parentPort?.postMessage(await this.#answer(order)))
  }

  async #answer({ number, language, source, knownHash }: ParseOrder): Promise<ParseAnswer> {
    const leave = (leftOut: LeftOut, contentHash: string | null = null) => ({
      number,
      contentHash,
      symbols: null,
      leftOut,
    })
    const content = typeof source === 'string' ? await readSource(source) : source
    if (typeof content === 'string') return leave(content)
    const contentHash = createHash('sha256').update(content).digest('hex')
    if (contentHash === knownHash) return { number, contentHash, symbols: null, leftOut: null }
    if (content.subarray(0, sniffedBytes).includes(0)) return leave('binary', contentHash)
    let text: string
    try {
      text = this.#utf8.decode(content)
    } catch {
      return leave('encoding', contentHash)
    }
    this.#parser ??= SymbolParser.create()
    const result = await (await this.#parser).parse(language, text)
    if ('symbols' in result) return { number, contentHash, symbols: result.symbols, leftOut: null }
    return leave(result.problem === 'too slow' ? 'too-slow' : 'too-many-symbols', contentHash)
  }
}

// Optimizing the lexer of a grammar, one function of a MiB, takes seconds, and gains nothing with the usual number of files.
setFlagsFromString('--liftoff-only')
parentPort?.on('message', new Parsing().onOrder)
