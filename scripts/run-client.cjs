// Runs the client of the daemon once, against a server that sends a ready answer, for the build:
//
//     node run-client.cjs <folder of the loader> <path for the compiled code of the client>
'use strict'
const { writeFileSync } = require('node:fs')
const { createServer } = require('node:net')
const [dist, output] = process.argv.slice(2)
const { run, scripts } = require(`${dist}/grite.cjs`)

/** More than a pipe takes, as a long list has. */
const outputBytes = 100_000

/** Frames of docs/ipc.md: hello, accepted, standard output in a short and a long part, exit. */
const answer = [
  [0x85, 0x18, 128, 1, 0x60, 0x80, 1],
  [0x82, 0x18, 129, 1],
  [0x83, 0x18, 131, 1, 0x41, 10],
  [0x83, 0x18, 131, 1, 0x5a, ...bigEndian(outputBytes), ...new Uint8Array(outputBytes)],
  [0x83, 0x18, 134, 1, 0],
].flatMap((item) => [...bigEndian(item.length), ...item])

const socket = `${output}.sock`
const server = createServer((connection) => connection.once('data', () => connection.end(Buffer.from(answer))))
server.listen(socket, async () => {
  const { kind } = await run('client').runThroughDaemon(socket, ['list', '--json'], process.env)
  if (kind !== 'exit') throw new Error(`the client ended with ${kind}`)
  writeFileSync(output, scripts.client.createCachedData())
  process.exit(0)
})

function bigEndian(number) {
  return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]
}
