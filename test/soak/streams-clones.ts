/** Random histories of three clones of a stream with real git. STREAMS_SEED repeats a run. */
import { it } from 'node:test'
import { checkClones } from '../wal/streams/clones-model.ts'
import { realClones } from '../wal/streams/real-clones.ts'

const histories = Number(process.env.SOAK_HISTORIES ?? 300)
const seed = Number(process.env.STREAMS_SEED ?? Date.now() % 0x7fff_ffff)

it(`${histories} histories of three clones with real git`, { timeout: 60 * 60_000 }, async (t) => {
  t.diagnostic(`seed ${seed}`)
  await checkClones(histories, { open: realClones(t), seed })
})
