// Loaded into every process of a test file: appends the cost of the file to the file in GRITE_TEST_COSTS.
'use strict'
const { appendFileSync, readFileSync } = require('node:fs')

process.on('exit', () => {
  const { GRITE_TEST_COSTS: path, NODE_TEST_CONTEXT: isTestFile } = process.env
  if (path === undefined || isTestFile === undefined) return
  const cost = { file: process.argv[1], seconds: process.uptime(), processorSeconds: processorSeconds() }
  appendFileSync(path, `${JSON.stringify(cost)}\n`)
})

/** Processor time of this process and, on Linux, of the child processes that it has waited for. */
function processorSeconds() {
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ').map(Number)
    const [user, system, childUser, childSystem] = fields.slice(11)
    const ticksPerSecond = 100
    return (user + system + childUser + childSystem) / ticksPerSecond
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
}
