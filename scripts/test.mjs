// Runs the tests for `npm test`, `npm run test:long` and `npm run soak`:
//
//     node scripts/test.mjs                         every test/**/*.test.ts except below test/long and test/soak
//     node scripts/test.mjs test/wal                only the tests of these files and folders
//     node scripts/test.mjs --test-name-pattern=x   options go to node
//     node scripts/test.mjs --long                  test/long/**/*.test.ts, which take minutes together
//     node scripts/test.mjs --soak                  test/soak/**/*.ts, which take minutes or need the network
//     node scripts/test.mjs --soak foreign          only test/soak/foreign.ts
//
// GRITE_TEST_GIT is a folder with another git in it, or in its bin, to run the tests with. The output ends with the most
// expensive files. The bundle is built first, because whole-process tests run it. The environment is the same everywhere: no
// configuration of the user or the machine, no identity, a fixed time zone and locale, a temporary home.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { bundleTests } from './bundle-tests.mjs'

process.chdir(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..'))

const soakFolder = 'test/soak'
const longFolder = 'test/long'
const testMsMax = 10 * 60_000
const costliestCount = 15

/** The in-memory file system of Linux, and the free space that it must have. */
const memoryDisk = '/dev/shm'
const memoryDiskFreeMin = 6 * 2 ** 30

const words = process.argv.slice(2)
const soak = words.includes('--soak')
const long = words.includes('--long')
const nodeOptions = words.filter((word) => word.startsWith('-') && word !== '--soak' && word !== '--long')
const files = chooseFiles(words.filter((word) => !word.startsWith('-')))
if (files.length === 0) {
  console.error(soak ? `Nothing to run below ${soakFolder}.` : 'No test files found.')
  process.exit(soak && words.length === 1 ? 0 : 1)
}

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
if (build.status !== 0) process.exit(build.status ?? 1)

const place = mkdtempSync(join(chooseDisk(), 'grite-test-'))
const home = join(place, 'home')
mkdirSync(home)
const bundles = join(process.cwd(), `node_modules/.cache/grite-tests-${process.pid}`)
const costs = join(place, 'costs')
process.on('exit', () => {
  for (const folder of [place, bundles]) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})
const status = await runTests(await bundleTests(files, bundles))
process.exit(tellLeftDaemons() ? 1 : status)

/** A daemon of a test that outlives the tests is a failure. Linux only. */
function tellLeftDaemons() {
  if (process.platform !== 'linux') return false
  const left = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => [pid, commandLine(pid)])
    .filter(([, line]) => line.startsWith('grite daemon ') && line.includes(place))
  for (const [pid, line] of left) {
    console.error(`The tests left a process: ${pid} ${line}`)
    process.kill(Number(pid), 'SIGKILL')
  }
  return left.length > 0
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/**
 * The tests create thousands of small repositories: in memory if there is room, unless TMPDIR is set. Tests assert flushes by
 * the calls, and a killed process leaves the same files in memory as on a disk.
 */
function chooseDisk() {
  if (process.env.TMPDIR !== undefined) return tmpdir()
  try {
    accessSync(memoryDisk, constants.W_OK)
    const { bavail, bsize } = statfsSync(memoryDisk)
    return bavail * bsize >= memoryDiskFreeMin ? memoryDisk : tmpdir()
  } catch {
    return tmpdir()
  }
}

function chooseFiles(named) {
  if (named.length > 0) return named.flatMap(expand)
  const all = listFiles('test')
  const isBelow = (folder) => (file) => file.startsWith(`${folder}/`)
  if (soak) return all.filter(isBelow(soakFolder)).filter((file) => file.endsWith('.ts'))
  const tests = all.filter((file) => file.endsWith('.test.ts') && !isBelow(soakFolder)(file))
  return tests.filter((file) => isBelow(longFolder)(file) === long)
}

/** Expands a folder to its tests; keeps a file. A soak may be given by name, too. */
function expand(named) {
  const ofSoak = `${soakFolder}/${named}.ts`
  const path = soak && existsSync(ofSoak) ? ofSoak : named
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    console.error(`${path} does not exist.`)
    process.exit(2)
  }
  return found.isDirectory() ? listFiles(path).filter((file) => file.endsWith('.test.ts')) : [path]
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder.replace(/\/$/, '')}/${entry.name}`
      return entry.isDirectory() ? listFiles(path) : [path]
    })
    .sort()
}

/** Runs node's test runner and returns its exit status. */
async function runTests(programs) {
  // The reporter prints failures after the summary. People read a log from the end, so the summary goes there.
  const isTerminal = process.stdout.isTTY === true
  const options = ['--enable-source-maps', `--require=${resolve('scripts/note-cost.cjs')}`]
  const child = spawn(
    process.execPath,
    [...options, '--test', '--test-reporter=spec', ...limits(), ...nodeOptions, ...programs],
    { env: testEnvironment(), stdio: ['ignore', isTerminal ? 'inherit' : 'pipe', 'inherit'] },
  )
  const summary = isTerminal ? Promise.resolve([]) : passOn(child.stdout)
  const [status, signal] = await once(child, 'close')
  process.stdout.write([...costliest(), ...(await summary), ''].join('\n'))
  if (signal !== null) console.error(`The tests were killed by ${signal}.`)
  return status ?? 1
}

/** Prints all lines except the summary, and returns the summary. */
async function passOn(stream) {
  const summary = []
  for await (const line of createInterface({ input: stream })) {
    if (/^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(line)) summary.push(line)
    else process.stdout.write(`${line}\n`)
  }
  return summary
}

/**
 * Lists the most expensive files, because the whole run has a time budget. Other load on the machine increases the wall
 * time, but hardly the processor time.
 */
function costliest() {
  if (files.length < costliestCount || !existsSync(costs)) return []
  const rows = readFileSync(costs, 'utf8').trimEnd().split('\n').map(JSON.parse)
  const tests = rows.filter(({ file }) => file.startsWith(`${bundles}/`))
  const seconds = (value) => `${value.toFixed(1)} s`.padStart(8)
  const top = tests.sort((a, b) => b.processorSeconds - a.processorSeconds).slice(0, costliestCount)
  const total = tests.reduce((sum, { processorSeconds }) => sum + processorSeconds, 0)
  return [
    'Processor time of the most expensive files, including child processes, and wall time:',
    ...top.map(({ file, seconds: wall, processorSeconds }) => {
      const name = file.slice(bundles.length + 1).replace(/\.mjs$/, '.ts')
      return `${seconds(processorSeconds)} ${seconds(wall)}  ${name}`
    }),
    `${seconds(total)}           all ${tests.length} files`,
  ]
}

function limits() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 11)) return []
  // Runs files in parallel, one more than there are processors, since most wait at times. A soak runs alone.
  if (soak) return ['--test-concurrency=1']
  return [`--test-concurrency=${availableParallelism() + 1}`, `--test-timeout=${testMsMax}`]
}

function testEnvironment() {
  const foreign =
    /^(GIT_|GRITE_|NODE_EXTRA_CA_CERTS$|NODE_OPTIONS$|XDG_|CLICOLOR|NO_COLOR$|FORCE_COLOR$|EDITOR$|VISUAL$|LC_|LANG)/
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
    PATH: searchPath(),
    HOME: home,
    TMPDIR: place,
    GRITE_TEST_BUNDLES: bundles,
    GRITE_TEST_COSTS: costs,
    GRITE_NO_DAEMON: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    LC_ALL: 'C',
    TZ: 'UTC',
  }
}

function searchPath() {
  const { PATH = '', GRITE_TEST_GIT: folder } = process.env
  if (folder === undefined) return PATH
  const bin = [join(folder, 'bin'), folder].find((path) => existsSync(join(path, 'git')))
  if (bin === undefined) throw new Error(`GRITE_TEST_GIT: no git in ${folder}.`)
  return [resolve(bin), ...PATH.split(delimiter)].join(delimiter)
}
