import { InvalidArgsError } from '../../model/index.ts'
import { proofDocument, type StreamRecord, verifyProof } from '../../model/streams/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { readInputText } from '../../tracker/local/read-input-file.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { onStream, streamArgument } from './stream-input.ts'

export const streamProof = defineCommand({
  name: 'stream proof',
  summary: 'Prove that a record is in a stream',
  description:
    'Prints a document that `grite stream verify-proof` checks by hashing alone, without a repository. It leads from the ' +
    'record to the root of the sealed head, in a number of steps that grows with the logarithm of the history.',
  examples: [
    { command: 'grite stream proof build/42 7 > proof.json', explains: 'the record at offset 7' },
    { command: 'grite stream proof build/42 7 | grite stream verify-proof -', explains: 'made and checked' },
  ],
  served: true,
  effect: 'reads',
  arguments: { stream: streamArgument, offset: { summary: 'Offset of the record' } },
  options: {},
  run: (context, input) =>
    onStream(context, input.stream, async ({ streams, streamId }) => {
      const offset = parseOffset(input.offset)
      return { data: proofDocument(await streams.acts.prove(streamId, offset)) }
    }),
})

const proofBytesMax = 128 * 1024 * 1024

export const streamVerifyProof = defineCommand({
  name: 'stream verify-proof',
  summary: 'Check a proof, without a repository',
  description:
    'Says which record the proof is about, and the root that it leads to: compare it with a root that you trust, such as ' +
    'that of a checkpoint. Roots count entries, and an adopted row is one entry with many records: so hashes bound the offset ' +
    '(offset_from, offset_to), and prove it in a stream without merges when --next-offset is given. Exits 1 when the proof is ' +
    'wrong, or when its root is not the one given.',
  examples: [
    { command: 'grite stream verify-proof proof.json', explains: 'from a file' },
    { command: 'grite stream verify-proof - --root 3c1f… < proof.json', explains: 'against a root that is trusted' },
  ],
  effect: 'reads',
  arguments: { file: { summary: 'File with the proof, or - for standard input', completes: 'file' } },
  options: {
    root: { type: 'text', valueName: '64 hex', summary: 'The root that is trusted' },
    'next-offset': {
      type: 'count',
      valueName: 'n',
      min: 1,
      summary:
        'The next offset that goes with the root, as its checkpoint states it: it bounds the offset of the record',
    },
  },
  async run(context, { file, root, nextOffset }) {
    const verdict = verifyProof(await readProof(context, file), { nextOffset })
    const found = verdict.valid ? verdict : null
    const isOther = found !== null && root !== undefined && root.toLowerCase() !== found.root
    const fault = verdict.valid ? (isOther ? `it is about another root, ${verdict.root}` : null) : verdict.reason
    return {
      data: {
        valid: fault === null,
        ...{ stream: found?.streamId ?? null, incarnation: found?.incarnation ?? null, offset: found?.offset ?? null },
        /** What the hashes prove of the offset: it is from this one on, and up to that one, or null. */
        ...{ offset_from: found?.offsets.from ?? null, offset_to: found?.offsets.to ?? null },
        ...{ root: found?.root ?? null, record: found === null ? null : recordJson(found.record), fault },
      },
      exitStatus: fault === null ? 0 : 1,
    }
  },
})

function recordJson({ tsUnixMs, writer, key, contentType, payload }: StreamRecord) {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  return {
    ...{ ts_unix_ms: tsUnixMs, writer, content_type: contentType },
    key_base64: key === null ? null : base64(key),
    payload_base64: base64(payload),
  }
}

async function readProof(context: CommandContext, file: string): Promise<string> {
  if (file !== '-') return await readInputText(context, { field: 'file', file, bytesMax: proofBytesMax })
  const parts: Uint8Array[] = []
  let byteCount = 0
  for await (const chunk of context.text.stdinChunks()) {
    byteCount += chunk.length
    if (byteCount > proofBytesMax) throw new InvalidArgsError('the proof is too large', { details: { field: 'file' } })
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString()
}

function parseOffset(text: string): number {
  const offset = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(offset)) return offset
  throw new InvalidArgsError(`the offset must be a whole number, got '${text}'`, {
    details: { field: 'offset', value: text },
  })
}

export type StreamProofInput = GivenInput<typeof streamProof>
export type StreamProofData = DataOf<typeof streamProof>
export type StreamVerifyProofInput = GivenInput<typeof streamVerifyProof>
export type StreamVerifyProofData = DataOf<typeof streamVerifyProof>
