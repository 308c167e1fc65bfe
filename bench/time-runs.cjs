// What time-runs.c does, where there is no C compiler. It cannot tell the processor time of a command.
'use strict'
const { spawnSync } = require('node:child_process')
const { openSync, closeSync, writeFileSync } = require('node:fs')

const [folder, rounds, count, ...words] = process.argv.slice(2)
const commands = []
for (let index = 0; index < Number(count); index++) {
  const length = Number(words.shift())
  commands.push(words.splice(0, length))
}
const lines = []
run()
process.stdout.write(lines.join(''))

function run() {
  for (let round = 1; round <= Number(rounds); round++) {
    for (const [index, [file, ...args]] of commands.entries()) {
      const errors = openSync(`${folder}/${index}.err`, 'w')
      const start = process.hrtime.bigint()
      const { status, stdout, error } = spawnSync(file, args, { stdio: ['ignore', 'pipe', errors], maxBuffer: 2 ** 30 })
      const elapsed = process.hrtime.bigint() - start
      closeSync(errors)
      if (error) throw error
      lines.push(`${index} ${elapsed} - ${status ?? 128}\n`)
      if (status !== 0) return
      if (round === Number(rounds)) writeFileSync(`${folder}/${index}.out`, stdout)
    }
  }
}
