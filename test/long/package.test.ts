/** The package as users install it: packed, installed into a clean prefix, run, imported and type-checked. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createSandbox } from '../git/temp-repository.ts'
import { projectDir } from '../tidy/source-files.ts'

const sandbox = createSandbox({ after })
const prefix = join(sandbox.dir, 'prefix')
const consumer = join(sandbox.dir, 'consumer')

function run(program: string, words: readonly string[], cwd: string, env: NodeJS.ProcessEnv = sandbox.environment) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd, env, encoding: 'utf8' })
  assert.deepEqual([error, status], [undefined, 0], `${program} ${words.join(' ')}\n${stdout}\n${stderr}`)
  return stdout
}

before(() => {
  // Uses the existing build: `npm pack` with scripts would replace it while other tests use it.
  run(process.execPath, ['scripts/declarations.mjs'], projectDir, process.env)
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', sandbox.dir], projectDir, process.env)
  const packed = readdirSync(sandbox.dir).find((name) => name.endsWith('.tgz')) ?? assert.fail('nothing was packed')
  mkdirSync(prefix)
  const words = ['install', '--global', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund']
  run('npm', [...words, join(sandbox.dir, packed)], sandbox.dir, process.env)
  mkdirSync(join(consumer, 'node_modules/@types'), { recursive: true })
  symlinkSync(join(prefix, 'lib/node_modules/grite'), join(consumer, 'node_modules/grite'))
  symlinkSync(join(projectDir, 'node_modules/@types/node'), join(consumer, 'node_modules/@types/node'))
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
  sandbox.git(consumer, 'init', '-q', '-b', 'main')
})

test('the package has the source of the launcher, but no program for one machine', () => {
  const installed = join(prefix, 'lib/node_modules/grite')
  assert.ok(existsSync(join(installed, 'native/grite.c')))
  assert.ok(existsSync(join(installed, 'dist/build-id')))
  assert.ok(!existsSync(join(installed, 'dist/grite-fast')))
})

test('the installed program creates and lists issues', () => {
  const grite = join(prefix, 'bin/grite')
  run(grite, ['issue', 'create', '--title', 'From the prefix'], consumer)
  assert.match(run(grite, ['issue', 'list'], consumer), /From the prefix/)
  assert.match(run('git', ['grite', '--version'], consumer, pathWith(join(prefix, 'bin'))), /^grite /)
})

const program = `import { ConflictError, NotFoundError, openRepository, type Warning } from 'grite'

const warnings: Warning[] = []
const repo = await openRepository({ warn: (warning) => void warnings.push(warning) })
const { issue_id } = await repo.issues.create({ title: 'Typed', label: ['bug'] })
const { issues } = await repo.issues.list({ state: 'open', label: ['bug'] })
const titles: readonly string[] = issues.map(({ title }) => title ?? '')
const changed: 'changed' | 'unchanged' = (await repo.issues.close(issue_id)).outcome
try {
  await repo.issues.show('ffffffff')
} catch (error) {
  if (error instanceof ConflictError || !(error instanceof NotFoundError)) throw error
  console.log(error.code, titles, changed, warnings.length)
}
await repo.close()
`

function compile(source: string) {
  writeFileSync(join(consumer, 'program.ts'), source)
  const options = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', '--outDir', 'out']
  const compiler = join(projectDir, 'node_modules/typescript/bin/tsc')
  const lib = ['--lib', 'es2023,esnext.disposable']
  return spawnSync(process.execPath, [compiler, ...options, ...lib, 'program.ts'], { cwd: consumer, encoding: 'utf8' })
}

test('a TypeScript program using the installed package compiles and runs', () => {
  const { status, stdout } = compile(program)
  assert.deepEqual([status, stdout], [0, ''])
  assert.equal(run(process.execPath, ['out/program.js'], consumer), "not_found [ 'Typed' ] changed 0\n")
})

test('wrong options and values of the library do not type-check', () => {
  const wrong = ["create({ title: 'x', titel: 'x' })", "list({ sort: 'size' })", 'close(5)', 'show()']
  const { stdout } = compile([program, ...wrong.map((call) => `await repo.issues.${call}`)].join('\n'))
  const first = program.split('\n').length + 1
  const lines = [...stdout.matchAll(/^program\.ts\((\d+),/gm)].map(([, line]) => Number(line))
  assert.deepEqual(
    [...new Set(lines)],
    wrong.map((_, index) => first + index),
    stdout,
  )
})

test('a CommonJS program can require the installed package', () => {
  writeFileSync(
    join(consumer, 'program.cjs'),
    "const { openRepository } = require('grite')\nopenRepository().then(async (repo) => console.log((await repo.issues.list()).total, await repo.close()))\n",
  )
  assert.match(run(process.execPath, ['program.cjs'], consumer), /^\d+ undefined\n$/)
})

function pathWith(folder: string): NodeJS.ProcessEnv {
  return { ...sandbox.environment, PATH: `${folder}:${sandbox.environment.PATH}` }
}
