#!/usr/bin/env node
// Loads the bundle beside it with the code cache of the build, which halves the time of a short command. V8 rejects a cache
// from another version; own-code.cjs then looks for a cache made by the running version. Old versions of Node must be able to
// parse this file, to print that they are too old.
'use strict'
const nodeMajorMin = 20
if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  const message = `grite needs Node.js ${nodeMajorMin} or newer, and this is ${process.version} (${process.execPath})`
  if (require.main !== module) throw new Error(message)
  process.stderr.write(`error: ${message}\n`)
  process.exit(1)
}

const fs = require('node:fs')
const vm = require('node:vm')

const filename = `${__dirname}/bundle.cjs`
const source = require('node:module').wrap(fs.readFileSync(filename, 'latin1'))
const shipped = readShipped()
const command = require.main === module ? firstWords(process.argv.slice(2)) : ''
const script = (shipped && compile(shipped)) || require('./own-code.cjs').compileWithOwn(compile, command)
const bundle = { exports: {} }
script.runInThisContext()(bundle.exports, require, bundle, filename, __dirname)
if (require.main === module) bundle.exports.runProcess()
else module.exports = { bundle: bundle.exports, script }

/** The first words, up to the length of the name of an everyday command. */
function firstWords(words) {
  return words.slice(0, words[0] === 'issue' ? 2 : 1).join(' ')
}

function readShipped() {
  try {
    return fs.readFileSync(`${__dirname}/bundle-${process.versions.v8}-${process.arch}.cache`)
  } catch (_error) {
    return undefined
  }
}

/**
 * @param {Buffer | undefined} cachedData - undefined to compile from the source
 * @returns undefined when V8 rejects the cache
 */
function compile(cachedData) {
  const compiled = new vm.Script(source, { filename, cachedData })
  return compiled.cachedDataRejected ? undefined : compiled
}
