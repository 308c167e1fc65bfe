// Runs lines of the command line in one process, as the loader would, for the build:
//
//     node run-lines.cjs <folder of the loader> <file for the result> <lines as JSON>
//
// The result is either compiled code, for the names of scripts in GRITE_BUILD_CODE, or the ids of the evaluated modules.
'use strict'
const { writeFileSync } = require('node:fs')
const [dist, output, json] = process.argv.slice(2)
const { bundle, loaded, scripts } = require(`${dist}/grite.cjs`)

const lines = JSON.parse(json)

process.on('exit', () => {
  const { GRITE_BUILD_CODE: names } = process.env
  if (names === undefined) writeFileSync(output, JSON.stringify([...loaded.keys()]))
  else for (const name of names.split(',')) writeFileSync(`${output}.${name}`, scripts[name].createCachedData())
})

async function runLines() {
  for (const words of lines.slice(0, -1)) {
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
