#!/usr/bin/env node
// Runs the command line. Its modules are in scripts, which are loaded when the first of their modules is needed: hot.cjs has
// those of most lines, warm.cjs what everyday commands need besides when they open the view, cold.cjs all others. Two commands
// have scripts of their own instead, with copies of what they need: sync.cjs and rebuild.cjs until their git runs, refill.cjs for
// the rest of a rebuild, settle.cjs for that of a sync that finds nothing new, exchange.cjs for any other sync. V8 gets compiled
// code with each: of the command itself for an everyday one. Where a daemon listens, client.cjs is loaded first. V8 rejects code
// from another version; own-code.cjs then looks for code made by the running version. Old versions of Node must be able to parse
// this file, to print that they are too old.
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

// The build puts the code of src/cli/find-socket.ts here.
const { findSocket } = require('./find-socket.cjs')

/** Names of compiled code, by the first words of a line. */
const everyday = new Map([
  ['--version', 'version'],
  ['new', 'issue-create'],
  ['list', 'issue-list'],
  ['show', 'issue-show'],
  ['comment', 'issue-comment'],
  ['close', 'issue-close'],
  ['reopen', 'issue-reopen'],
  ['update', 'issue-update'],
  ['ready', 'ready'],
  ['sync', 'sync'],
  ['rebuild', 'rebuild'],
])

const command = nameOf(process.argv.slice(2))
/** The scripts that were loaded, by name. */
const scripts = {}
/** Exports of the modules that were evaluated, by id. */
const loaded = new Map()
/** Scripts with code of the command itself, in the order in which they are loaded. */
const own = { sync: ['sync', 'settle', 'exchange'], rebuild: ['rebuild', 'refill'] }[command] || ['hot', 'warm']
/** Scripts to load next, in this order. */
const waiting = own.concat(['cold', 'hot', 'warm'].filter((name) => own.indexOf(name) < 0))
const first = own[0]
const last = own[own.length - 1]
/** Whether V8 accepts the code in dist/. */
let isShippedUsable = false
let factories = {}
/** Holds the largest script of an everyday command, and its code. */
let memory = Buffer.allocUnsafeSlow(1024 * 1024)

if (require.main === module) runWithDaemon()
else module.exports = { bundle: loadCommandLine(), load, loaded, run, scripts }

/** Hands the line to the daemon where one runs, and else runs it here. */
function runWithDaemon() {
  const argv = process.argv.slice(2)
  const socket = findSocket(argv, process.env)
  if (socket === undefined) return loadCommandLine().runProcess()
  run('client')
    .runThroughDaemon(socket, argv, process.env)
    .then((outcome) => {
      if (outcome.kind === 'exit') return process.reallyExit(outcome.status)
      if (outcome.kind === 'local' && outcome.key !== undefined) process.env.GRITE_REQUEST = outcome.key
      if (outcome.kind === 'lost') loadCommandLine().reportLostDaemon()
      else loadCommandLine().runProcess()
    })
}

function loadCommandLine() {
  factories = run(waiting.shift())
  return load('cli/bundle')
}

function nameOf(words) {
  const isIssue = words[0] === 'issue'
  const word = words[isIssue ? 1 : 0]
  if (isIssue && word === 'create') return 'issue-create'
  const name = everyday.get(word) || 'other'
  return isIssue && name.slice(0, 6) !== 'issue-' ? 'other' : name
}

/** The exports of a module. A module is evaluated once, whichever script it is in. */
function load(id) {
  let exports = loaded.get(id)
  if (exports === undefined) {
    // Under other settings V8 would reject compiled code.
    const isNeeded = () => id === 'cli/engine-settings' && waiting.includes(last)
    while (factories[id] === undefined || isNeeded()) factories = Object.assign(run(waiting.shift()), factories)
    exports = factories[id]()
    loaded.set(id, exports)
  }
  return exports
}

/** Turns the exports of a CommonJS package into those that `import` gives. */
function interop(exports) {
  return exports.__esModule ? exports : { __proto__: exports, default: exports }
}

function run(name) {
  const filename = `${__dirname}/${name}.cjs`
  // ASCII.
  const source = read(filename).latin1Slice()
  const compile = (cachedData) => {
    const compiled = new vm.Script(source, { filename, cachedData })
    return compiled.cachedDataRejected ? undefined : compiled
  }
  // Everyday commands seldom load another script, so it has no code for each of them.
  const codeName = `${name}-${own.includes(name) ? command : 'other'}`
  const shipped = readShipped(codeName)
  let script = shipped && compile(shipped)
  if (name === first) isShippedUsable = script !== undefined
  if (script === undefined) {
    // The client is compiled in less time than own-code.cjs takes.
    script =
      isShippedUsable || name === 'client' ? compile() : require('./own-code.cjs').compileWithOwn(compile, codeName)
  }
  scripts[name] = script
  return script.runInThisContext()(require, load, interop)
}

function readShipped(codeName) {
  try {
    return read(`${__dirname}/code/${codeName}-${process.versions.v8}-${process.arch}`)
  } catch (_error) {
    return undefined
  }
}

/** The bytes of a file, until the next call: all are read into the same memory, which the system has to provide only once. */
function read(path) {
  const file = fs.openSync(path, 'r')
  try {
    const { size } = fs.fstatSync(file)
    if (size > memory.length) memory = Buffer.allocUnsafeSlow(size)
    if (fs.readSync(file, memory, 0, size, 0) !== size) throw new Error(`${path} was cut off`)
    return memory.subarray(0, size)
  } finally {
    fs.closeSync(file)
  }
}
