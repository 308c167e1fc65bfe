/** Long output on a terminal goes through the user's pager. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { Piece } from '../tracker/export/json-pieces.ts'
import type { ProcessFacts } from './process-facts.ts'
import type { Rendered } from './render/renderer.ts'
import { writePieces } from './write-pieces.ts'

/** Shows colours, exits at once if the text fits, and leaves it on the screen. */
const pagerDefault = 'less -FRX'

/** The program and its arguments; undefined for no pager. */
function choosePager(env: Readonly<Record<string, string | undefined>>): readonly string[] | undefined {
  const text = env.GRITE_PAGER ?? env.GIT_PAGER ?? env.PAGER ?? pagerDefault
  const words = text.trim().split(/\s+/).filter(Boolean)
  return words.length === 0 || words[0] === 'cat' || env.TERM === 'dumb' ? undefined : words
}

/** Writes to standard output, through the pager if the text is longer than the terminal. Quitting the pager early is fine. */
export async function writePaged(facts: ProcessFacts, output: Rendered): Promise<void> {
  const rows = facts.stdout.rows() ?? Number.POSITIVE_INFINITY
  const pager = facts.stdout.isTerminal ? choosePager(facts.env) : undefined
  const pieces = typeof output === 'string' ? [output] : output
  if (pager === undefined) return writePieces(facts.stdout, pieces)
  const begun = await readLines(pieces, rows)
  if (begun.isLong) facts.leaveToCaller?.()
  if (!begun.isLong || !(await page(facts, pager, begun.pieces))) await writePieces(facts.stdout, begun.pieces)
}

interface Begun {
  readonly isLong: boolean
  /** All pieces, including those already read. */
  readonly pieces: AsyncIterable<string>
}

/** Reads pieces until they have the given number of lines. */
async function readLines(pieces: Iterable<Piece> | AsyncIterable<Piece>, rows: number): Promise<Begun> {
  const iterator = iterate(pieces)
  const read: string[] = []
  let count = 0
  while (count < rows) {
    const step = await iterator.next()
    if (step.done) break
    read.push(step.value)
    count += countLines(step.value)
  }
  async function* all(): AsyncGenerator<string> {
    yield* read
    yield* iterator
  }
  return { isLong: count >= rows, pieces: { [Symbol.asyncIterator]: all } }
}

async function* iterate(pieces: Iterable<Piece> | AsyncIterable<Piece>): AsyncGenerator<string> {
  for await (const piece of pieces) yield `${piece}`
}

function countLines(text: string): number {
  let count = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) count++
  return count
}

/** Returns false if the program does not exist. Uses no shell: the variable holds only a program and its arguments. */
async function page(
  facts: ProcessFacts,
  [program = '', ...words]: readonly string[],
  pieces: AsyncIterable<string>,
): Promise<boolean> {
  const takeBack = facts.leaveInterrupts()
  try {
    const child = spawn(program, words, {
      stdio: ['pipe', 'inherit', 'inherit'],
      // Issue text is untrusted, so disable the keys of less that run programs or write files.
      env: { LESS: 'FRX', LV: '-c', ...facts.env, LESSSECURE: '1' },
    })
    // Quitting the pager before the end closes the pipe, which is not a failure.
    child.stdin.on('error', () => undefined)
    const ended = new Promise<boolean>((resolve) => {
      child.on('close', () => resolve(true))
      child.on('error', () => resolve(false))
    })
    if (!(await hasStarted(child))) return false
    await feed(child.stdin, pieces)
    return await ended
  } finally {
    takeBack()
  }
}

function hasStarted(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.on('spawn', () => resolve(true))
    child.on('error', () => resolve(false))
  })
}

/** Writes the pieces at the speed of the reader, until it closes the pipe. */
async function feed(sink: Writable, pieces: AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) {
    if (sink.destroyed || sink.write(piece)) continue
    await new Promise((resolve) => {
      sink.once('drain', resolve)
      sink.once('close', resolve)
    })
    if (sink.destroyed) break
  }
  sink.end()
}
