/**
 * `npm run bench [name …] [-- --small]`: one file per question, ratios first. Ratios are relative to a measurement in the
 * same run, because machines differ and are shared.
 */
import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { benches } from './benches.ts'

const args = process.argv.slice(2)
const small = args.includes('--small')
const wanted = args.filter((arg) => !arg.startsWith('--'))
const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no bench ${unknown.join(', ')}; known benches: ${benches.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}

const commit = tell('git', ['rev-parse', '--short', 'HEAD'])
process.stdout.write(
  [
    `grite ${commit}, node ${process.version}, ${tell('git', ['--version'])}`,
    `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
    '',
    '',
  ].join('\n'),
)
for (const { name, question, run } of benches) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  process.stdout.write(`${name}: ${question}\n`)
  for (const line of await run({ small })) process.stdout.write(`  ${line}\n`)
  process.stdout.write('\n')
}

function tell(file: string, argv: readonly string[]): string {
  try {
    return execFileSync(file, argv, { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
