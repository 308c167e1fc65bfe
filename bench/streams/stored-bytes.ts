import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadZstd } from '../../src/wal/streams/zstd.ts'
import { type Bench, inRepository, mib, ratio, verdict } from '../bench.ts'
import { benchEnv } from '../measure.ts'
import { creation, local, makePayloads, openStore, streamNamed } from './open-store.ts'

const target = 1.1
/** A large export of issues, where there is one. */
const lines = fileURLToPath(new URL('../../../shared/data/beads-issues.jsonl', import.meta.url))

export const streamStoredBench: Bench = {
  name: 'stream-stored',
  question: `bytes in git of the lines of a file as records, after the seal: at most ${target}x \`zstd -3\` of the file`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const file =
        existsSync(lines) && !small ? readFileSync(lines) : Buffer.concat(makePayloads(2000).map(withNewline))
      const records = [...linesOf(file)]
      const { store, close } = await openStore(cwd)
      const streamId = streamNamed('bench/stored')
      await store.create(streamId, creation)
      for (let index = 0; index < records.length; index += 256) {
        const drafts = records.slice(index, index + 256).map((payload) => ({ payload }))
        await store.append(streamId, drafts, local)
      }
      await store.seal(streamId)
      await close()
      const loose = bytesBelow(`${cwd}/.git/objects`)
      execFileSync('git', ['gc', '-q'], { cwd, env: benchEnv as NodeJS.ProcessEnv })
      const packed = bytesBelow(`${cwd}/.git/objects`)
      const plain = (await loadZstd()).compress(file).length
      return [
        `${ratio(packed, plain)} packed (target ${target}x): ${verdict(packed <= target * plain)}; ${ratio(loose, plain)} loose`,
        `${records.length} records of ${mib(file.length)}: zstd ${mib(plain)}, packed ${mib(packed)}, loose ${mib(loose)}`,
      ]
    }),
}

const withNewline = (payload: Uint8Array): Uint8Array => Buffer.concat([payload, Buffer.from('\n')])

function* linesOf(file: Buffer): Generator<Uint8Array> {
  for (let start = 0; start < file.length; ) {
    const end = file.indexOf(10, start)
    yield file.subarray(start, end === -1 ? file.length : end)
    start = end === -1 ? file.length : end + 1
  }
}

function bytesBelow(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && !entry.name.endsWith('.idx')) bytes += statSync(`${entry.parentPath}/${entry.name}`).size
  return bytes
}
