// Run as its own process by test/long/journal-suspended.test.ts: appends texts, and prints each acknowledged one.
import { writeSync } from 'node:fs'
import { JournalBlocked, nodeJournalDisk } from '../../../../src/wal/streams/journal/index.ts'
import { openWriter, placeOn, record } from './journals.ts'

export interface JournalOrder {
  readonly folder: string
  readonly name: string
  readonly count: number
  /** Seals after each so many appends. */
  readonly sealEvery: number
}

async function run({ folder, name, count, sealEvery }: JournalOrder): Promise<void> {
  const place = placeOn(nodeJournalDisk, folder)
  let writer = await openWriter(place)
  for (let index = 0; index < count; ) {
    const appended = await writer.append([[record(`${name}-${index}`)]], { flush: true })
    if (appended.outcome === 'appended') {
      writeSync(1, `${appended.firstOffset} ${name}-${index}\n`)
      index += 1
      if (index % sealEvery === 0) await writer.close('seal')
    } else if (appended.outcome === 'barrier') throw new JournalBlocked('barrier')
    else if (appended.outcome === 'stale') {
      writer.dispose()
      writer = await openWriter(place)
    }
  }
  writer.dispose()
}

const order = process.argv[2]
if (order?.startsWith('{')) await run(JSON.parse(order) as JournalOrder)
