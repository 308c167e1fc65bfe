#!/usr/bin/env node
// Loads the bundle beside it with the compiled code that the build left there. Node rejects that by itself when it is
// another version, and compiles the source.
'use strict'
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { Script } = require('node:vm')
const { wrap } = require('node:module')

const filename = join(__dirname, 'bundle.cjs')
let cachedData
try {
  cachedData = readFileSync(join(__dirname, 'bundle.cache'))
} catch {}
const script = new Script(wrap(readFileSync(filename, 'latin1')), { filename, cachedData })
const bundle = { exports: {} }
script.runInThisContext()(bundle.exports, require, bundle, filename, __dirname)
if (require.main === module) bundle.exports.runProcess()
else module.exports = { bundle: bundle.exports, script }
