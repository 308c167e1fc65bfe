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

if (require.main === module) runWithDaemon()
else module.exports = load()

/** Hands the line to the daemon where one runs, and else runs it here. */
function runWithDaemon() {
  const client = require('./client.cjs')
  const argv = process.argv.slice(2)
  const socket = client.findSocket(argv, process.env)
  if (socket === undefined) return load().bundle.runProcess()
  client.runThroughDaemon(socket, argv, process.env).then((outcome) => {
    if (outcome.kind === 'exit') return process.reallyExit(outcome.status)
    if (outcome.kind === 'local' && outcome.key !== undefined) process.env.GRITE_REQUEST = outcome.key
    if (outcome.kind === 'lost') load().bundle.reportLostDaemon()
    else load().bundle.runProcess()
  })
}

function load() {
  const source = require('node:module').wrap(fs.readFileSync(filename, 'latin1'))
  const shipped = readShipped()
  const command = require.main === module ? firstWords(process.argv.slice(2)) : ''
  const compileSource = (cachedData) => compile(source, cachedData)
  const script = (shipped && compileSource(shipped)) || require('./own-code.cjs').compileWithOwn(compileSource, command)
  const bundle = { exports: {} }
  script.runInThisContext()(bundle.exports, require, bundle, filename, __dirname)
  return { bundle: bundle.exports, script }
}

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
 * @param {string} source
 * @param {Buffer | undefined} cachedData - undefined to compile from the source
 * @returns undefined when V8 rejects the cache
 */
function compile(source, cachedData) {
  const compiled = new vm.Script(source, { filename, cachedData })
  return compiled.cachedDataRejected ? undefined : compiled
}
