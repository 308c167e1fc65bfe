/** Runs one bench of record streams in full, and prints its lines; see bundled.ts. */
import { streamBenches } from './benches.ts'

const name = process.argv[2]
const bench = streamBenches.find((each) => each.name === name)
if (bench === undefined) throw new Error(`no bench ${name}`)
for (const line of await bench.run({ small: false })) process.stdout.write(`${line}\n`)
