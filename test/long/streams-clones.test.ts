import { it } from 'node:test'
import { checkClones } from '../wal/streams/clones-model.ts'
import { realClones } from '../wal/streams/real-clones.ts'

it('loses no acknowledged record in a thousand histories of three clones', async () => {
  await checkClones(1000)
})

it('loses no acknowledged record in histories of three clones with real git', async (t) => {
  const seed = Number(process.env.STREAMS_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  await checkClones(30, { open: realClones(t), seed })
})
