import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgsError } from '../../../src/model/index.ts'
import type { CommandContext } from '../../../src/tracker/effects.ts'
import { openImportSource } from '../../../src/tracker/import/import-source.ts'

/** An endless standard input; counts the bytes read. */
function endless() {
  let bytesRead = 0
  async function* chunks(): AsyncGenerator<Uint8Array> {
    while (true) {
      bytesRead += 65_536
      yield Buffer.alloc(65_536, '{')
    }
  }
  const context = { text: { stdinChunks: chunks } } as unknown as CommandContext
  return { context, bytesRead: () => bytesRead }
}

test('an unrecognised stream is not read to its end', async () => {
  const { context, bytesRead } = endless()
  const refuse = () => {
    throw new InvalidArgsError('neither a tracker nor an export')
  }
  await assert.rejects(openImportSource(context, '-', refuse), /^InvalidArgsError: neither/)
  assert.equal(bytesRead(), 65_536)
  await assert.rejects(openImportSource(context, '/dev/zero', refuse), /^InvalidArgsError: neither/)
})

// `importStreamBytesMax` is the value of the parameter unless a test gives one.
test('a stream is read up to its limit and no further', async () => {
  const { context, bytesRead } = endless()
  const at = openImportSource(context, '-', () => undefined, 1_000_000)
  await assert.rejects(at, { code: 'invalid_args', message: /^cannot import a stream of more than 1000000 bytes/ })
  assert.equal(bytesRead(), 65_536 * 16)
})
