// Runs the tests under every supported Node, each installed as a package below node_modules/.cache:
//
//     npm run matrix                                 the suite under each Node of the table below
//     npm run matrix -- 22 24                        only under these versions
//     npm run matrix -- 22 --long test/git           other arguments go to scripts/test.mjs
//     GRITE_TEST_GIT=/opt/git-2.47 npm run matrix    with the git in this folder, or in its bin
//
// Also checks that too old versions are refused. docs/decisions/0016 records past runs. Exits 1 if anything failed.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'

const majors = [20, 22, 24, 26]
const tooOld = [16, 18]

process.chdir(resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..'))
const words = process.argv.slice(2)
const isMajor = (word) => /^\d+$/.test(word)
const wanted = words.some(isMajor) ? words.filter(isMajor).map(Number) : majors
const rows = []
for (const major of wanted)
  rows.push(
    await runTests(
      major,
      words.filter((word) => !isMajor(word)),
    ),
  )
// Rebuild, so that dist/ has a bundle for the Node that runs this script.
run(process.execPath, ['scripts/build.mjs'])
for (const major of tooOld) rows.push(checkRefusal(major))
console.log(`\n${rows.map(({ text }) => text).join('\n')}`)
process.exit(rows.every(({ isGood }) => isGood) ? 0 : 1)

/** Installs a Node if needed and returns its path; undefined when the registry has none for this machine. */
function install(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = `node_modules/.cache/nodes/${major}`
  const program = resolve(folder, 'node_modules', name, 'bin/node')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--silent', '--prefix', folder]
  spawnSync('npm', ['install', ...options, `${name}@${major}`], { stdio: 'inherit' })
  return existsSync(program) ? program : undefined
}

async function runTests(major, options) {
  const program = install(major)
  if (program === undefined) return { isGood: false, text: `node ${major}: cannot be installed` }
  const what = `${versionOf(program)}, ${gitVersion()}`
  console.log(`\n== ${what}`)
  const child = spawn(program, ['scripts/test.mjs', ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const counts = {}
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line)
    const [, name, count] = /^ℹ (tests|pass|fail|cancelled|skipped) (\d+)$/.exec(line) ?? []
    if (name !== undefined) counts[name] = count
  }
  if (child.exitCode === null) await once(child, 'close')
  const result = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return { isGood: child.exitCode === 0, text: `${what}: ${result.join(', ')}, exit ${child.exitCode}` }
}

function checkRefusal(major) {
  const program = install(major)
  if (program === undefined) return { isGood: true, text: `node ${major}: cannot be installed` }
  const { status, stderr } = spawnSync(program, ['dist/grite.cjs', 'issue', 'list'], { encoding: 'utf8' })
  const isGood = status === 1 && /^error: grite needs Node\.js \d+ or newer.*\n$/.test(stderr)
  return { isGood, text: `${versionOf(program)}: ${isGood ? 'refused' : `not refused: ${status} ${stderr}`}` }
}

function versionOf(program) {
  return `node ${run(program, ['--version']).trim().slice(1)}`
}

function gitVersion() {
  const { GRITE_TEST_GIT: folder } = process.env
  if (folder === undefined) return run('git', ['--version']).trim()
  return run([join(folder, 'bin/git'), join(folder, 'git')].find(existsSync) ?? folder, ['--version']).trim()
}

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? stderr}`)
  return stdout
}
