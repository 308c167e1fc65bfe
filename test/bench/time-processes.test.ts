import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileStarter, nodeStarter, timeProcesses } from '../../bench/time-processes.ts'
import { whyNoCompiler } from '../native/compile-launcher.ts'

const cwd = process.cwd()
const starters = [
  { name: 'the program in C', starter: () => compileStarter() ?? [], tellsProcessor: true, skip: whyNoCompiler },
  { name: 'the program in JavaScript', starter: () => nodeStarter, tellsProcessor: false, skip: false },
] as const

for (const { name, starter, tellsProcessor, skip } of starters) {
  test(`${name} gives the time and the last output of each command`, { skip }, () => {
    const script = 'printf %100000s "$1"; test "$(wc -c </dev/stdin)" = 0'
    const commands = { quiet: ['true'], loud: ['sh', '-c', script, 'sh', 'two words'] }
    const { quiet, loud } = timeProcesses(commands, { runs: 3, cwd, starter: starter() })
    assert.deepEqual([quiet.stdout, loud.stdout.trimStart(), loud.stdout.length], ['', 'two words', 100_000])
    for (const { processor } of [quiet, loud]) assert.equal(processor !== undefined, tellsProcessor)
    for (const { min, median, max } of [quiet, loud]) assert.ok(0 < min && min <= median && median <= max)
  })

  test(`${name} reports a command that fails with its errors`, { skip }, () => {
    const commands = { good: ['true'], bad: ['sh', '-c', 'echo because >&2; exit 3'] }
    assert.throws(
      () => timeProcesses(commands, { runs: 2, cwd, starter: starter() }),
      /^Error: sh -c .* exited with 3: because\n$/,
    )
  })
}
