/** Random histories of streams in clones of one remote. STREAM_HISTORIES sets their number, STREAMS_SEED their course. */
import { it } from 'node:test'
import { playHistories } from '../wal/streams/histories/play.ts'

const histories = Number(process.env.STREAM_HISTORIES ?? 25)
const seed = Number(process.env.STREAMS_SEED ?? 7)

it(`${histories} histories of clones read like lists of records`, { timeout: 60 * 60_000 }, async (t) => {
  t.diagnostic(`seed ${seed}`)
  await playHistories(histories, seed)
})
