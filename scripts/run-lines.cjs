// Runs lines of the command line in one process, as the loader would, for the build:
//
//     node run-lines.cjs <folder of the loader> <path for results> <lines as JSON>
//
// A line that begins with the name of a clone runs there, in a process of its own. Writes <path>.json with the ids of the
// evaluated modules, of all and of those before the first git, and <path>.<script> with the compiled code of each loaded script.
'use strict'
const childProcess = require('node:child_process')
const { writeFileSync } = require('node:fs')
const [dist, output, json] = process.argv.slice(2)
const lines = JSON.parse(json)
const clones = ['work', 'peer']
// The loader chooses the scripts by the words of the command.
process.argv = [process.argv[0], `${dist}/grite.cjs`, ...lines.find(([first]) => !clones.includes(first))]
const { bundle, loaded, scripts } = require(`${dist}/grite.cjs`)

/** Ids of the modules that were evaluated before one of them started git. */
let beforeGit
const { spawn } = childProcess
childProcess.spawn = (...args) => {
  beforeGit ??= [...loaded.keys()]
  return spawn(...args)
}

process.on('exit', () => {
  writeFileSync(`${output}.json`, JSON.stringify({ all: [...loaded.keys()], beforeGit }))
  for (const [name, script] of Object.entries(scripts)) writeFileSync(`${output}.${name}`, script.createCachedData())
})

async function runLines() {
  // As in a process of its own, this module comes first.
  const { runProcess } = bundle
  for (const words of lines.slice(0, -1)) {
    const [clone, program, ...rest] = words
    if (clones.includes(clone)) {
      const [file, ...first] = program === 'grite' ? [process.execPath, `${dist}/grite.cjs`] : [program]
      childProcess.execFileSync(file, [...first, ...rest], {
        cwd: `../${clone}`,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      continue
    }
    const status = await bundle.main(words, bundle.nodeProcessFacts(bundle.createInterrupts()))
    if (status !== 0) throw new Error(`grite ${words.join(' ')} exited with ${status}`)
  }
  // The last one as the loader does it, including the exit.
  process.argv = [...process.argv.slice(0, 2), ...lines.at(-1)]
  runProcess()
}

runLines().catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exit(1)
})
