#!/usr/bin/env node
// Stands in for the program grite, which a client of the daemon runs when it cannot use the daemon: tells how it was called.
'use strict'
const { readFileSync, writeSync } = require('node:fs')

const raw = process.platform === 'linux' ? readFileSync('/proc/self/cmdline').toString('latin1').split('\0') : null
const report = JSON.stringify({
  isLocal: true,
  words: process.argv.slice(2),
  rawWords: raw?.slice(2, -1) ?? null,
  cwd: process.cwd(),
  request: process.env.GRITE_REQUEST ?? null,
  stdin: readStdin(),
})
try {
  writeSync(1, report)
} catch {
  writeSync(2, report)
}
process.exitCode = 17

function readStdin() {
  try {
    return readFileSync(0, 'latin1')
  } catch (error) {
    return error.code
  }
}
