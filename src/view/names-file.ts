/**
 * A copy of the names of all symbols of a view, beside the view: reading them from LevelDB takes half a second for 200,000.
 *
 *     file := line; block; others; NUL to a multiple of 4 bytes      see NameTable
 *     line := "grite names" format mark bytes-of-block bytes-of-others checksum, padded with spaces to 80 bytes with a LF
 *
 * Invariants
 * - A file names the mark of the symbols that it has. A view changes its mark in the same batch as its symbols, and never
 *   returns to a former one, so a file of its present mark is right.
 * - An error leaves the file as it is: it is a copy.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes, type SharedPermissions } from '../git/index.ts'
import { NameTable } from '../model/index.ts'
import { checksumsOf } from './checksums.ts'
import { replaceFile } from './replace-file.ts'

/** Name of the metadata with the mark of the symbols. */
export const symbolsMarkName = 'symbols_mark'

export function newSymbolsMark(): string {
  return randomBytes(8).toString('hex')
}

/** Increases when the layout changes. */
const format = 1
const fileName = 'names'
const lineBytes = 80
/** Larger ones are not kept: at most a thousandth of them is of use to a query. */
const fileBytesMax = 64 * 1024 * 1024

/** The names that a folder has for this mark; undefined when it has none, or they are damaged. */
export function readNames(folder: string, mark: string): NameTable | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(join(folder, fileName))
  } catch {
    return undefined
  }
  const content = bytes.subarray(lineBytes)
  const [, block = '', others = ''] = /^\S+ \S+ \S+ \S+ (\d+) (\d+) /.exec(bytes.toString('latin1', 0, lineBytes)) ?? []
  const [blockEnd, end] = [Number(block), Number(block) + Number(others)]
  if (content.length !== padded(end) || !bytes.subarray(0, lineBytes).equals(lineOf(mark, blockEnd, end, content))) {
    return undefined
  }
  return new NameTable(content.subarray(0, blockEnd), content.subarray(blockEnd, end))
}

/** Replaces the file of a folder. */
export function writeNames(
  folder: string,
  mark: string,
  { block, others }: NameTable,
  permissions: SharedPermissions,
): void {
  const end = block.length + others.length
  const content = Buffer.alloc(padded(end))
  if (lineBytes + content.length > fileBytesMax) return
  content.set(block)
  content.set(others, block.length)
  try {
    const bytes = Buffer.concat([lineOf(mark, block.length, end, content), content])
    replaceFile(join(folder, fileName), bytes, permissions)
  } catch {
    // No room or no permission: the next query reads the view.
  }
}

function lineOf(mark: string, blockEnd: number, end: number, content: Buffer): Buffer {
  const [sum = 0] = checksumsOf(content, [content.length])
  const words = ['grite', 'names', format, mark, blockEnd, end - blockEnd, sum]
  return Buffer.from(`${words.join(' ').padEnd(lineBytes - 1)}\n`, 'latin1')
}

const padded = (length: number): number => (length + 3) & ~3
