// Runs lines of the command line in one process, as the loader would, for the build:
//
//     node run-lines.cjs <folder of the loader> <path for results> <lines as JSON>
//
// A line that begins with the name of a clone runs there, in a process of its own. Writes <path>.json with the ids of the evaluated modules, and <path>.<script> with the compiled code of each loaded script.
'use strict'
const { execFileSync } = require('node:child_process')
const { writeFileSync } = require('node:fs')
const [dist, output, json] = process.argv.slice(2)
const lines = JSON.parse(json)
const clones = ['work', 'peer']
// The loader chooses the scripts by the words of the command.
process.argv = [process.argv[0], `${dist}/grite.cjs`, ...lines.find(([first]) => !clones.includes(first))]
const { bundle, loaded, scripts } = require(`${dist}/grite.cjs`)

process.on('exit', () => {
  writeFileSync(`${output}.json`, JSON.stringify([...loaded.keys()]))
  for (const [name, script] of Object.entries(scripts)) writeFileSync(`${output}.${name}`, script.createCachedData())
})

async function runLines() {
  for (const words of lines.slice(0, -1)) {
    const [clone, program, ...rest] = words
    if (clones.includes(clone)) {
      const [file, ...first] = program === 'grite' ? [process.execPath, `${dist}/grite.cjs`] : [program]
      execFileSync(file, [...first, ...rest], { cwd: `../${clone}`, stdio: ['ignore', 'ignore', 'inherit'] })
      continue
    }
    const status = await bundle.main(words, bundle.nodeProcessFacts(bundle.createInterrupts()))
    if (status !== 0) throw new Error(`grite ${words.join(' ')} exited with ${status}`)
  }
  // The last one as the loader does it, including the exit.
  process.argv = [...process.argv.slice(0, 2), ...lines.at(-1)]
  bundle.runProcess()
}

runLines().catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exit(1)
})
