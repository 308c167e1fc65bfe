/** Runs the commands of the README. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { fencesOf, splitCommands } from './commands-in-text.ts'
import { projectDir, read } from './source-files.ts'

const program = join(projectDir, 'dist/grite.cjs')
const readme = read('README.md')
const blocks = fencesOf(readme).filter(({ language }) => language === 'sh')
/** The two example issue ids in the README. */
const idsShown = ['3f2a91c', '77bc01d']

describe('README', { skip: existsSync(program) ? false : 'dist/ is not built; npm run build' }, () => {
  let sandbox: Sandbox
  let repository: string
  const ids: string[] = []

  before(async (context) => {
    sandbox = createSandbox({ after: (callback) => (context as { after?: typeof before }).after?.(callback) })
    mkdirSync(join(sandbox.dir, 'bin'))
    symlinkSync(program, join(sandbox.dir, 'bin/grite'))
    sandbox.git(sandbox.dir, 'init', '-q', '--bare', 'origin.git')
    repository = clone('repository')
    sandbox.git(repository, 'commit', '-q', '--allow-empty', '-m', 'A project')
    cpSync(join(projectDir, 'fixtures/import/sample.jsonl'), join(repository, 'tracker.jsonl'))
    cpSync(join(projectDir, 'README.md'), join(repository, 'README.md'))
    for (const title of ['Crash in the harbour', 'Epic']) ids.push(create(repository, title))
  })

  function clone(name: string): string {
    sandbox.git(sandbox.dir, 'clone', '-q', 'origin.git', name)
    return join(sandbox.dir, name)
  }

  function shell(cwd: string, text: string) {
    const { PATH = '', ...environment } = sandbox.environment
    return spawnSync('bash', ['-euo', 'pipefail', '-c', text], {
      cwd,
      env: { ...environment, PATH: `${join(sandbox.dir, 'bin')}:${PATH}` },
      encoding: 'utf8',
      // With a socket as input, bash assumes rshd and reads the machine's start files.
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  function create(cwd: string, title: string): string {
    const { status, stdout, stderr } = shell(cwd, `grite issue create --json --title '${title}'`)
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout).data.issue_id
  }

  function titles(cwd: string): string[] {
    return JSON.parse(shell(cwd, 'grite issue list --json').stdout).data.issues.map(
      (issue: { title: string }) => issue.title,
    )
  }

  for (const { text, line } of blocks) {
    const first = text.split('\n')[0] ?? ''
    if (text.includes('npm ')) {
      test(`README line ${line}: the package has the scripts of \`${first}\``, () => {
        const { scripts } = JSON.parse(read('package.json'))
        const words = splitCommands(text).filter(([word]) => word === 'npm')
        for (const [, verb = '', name] of words) {
          if (verb !== 'ci') assert.ok(scripts[verb === 'run' ? (name ?? '') : verb], `npm ${verb} ${name ?? ''}`)
        }
      })
      continue
    }
    test(`README line ${line}: \`${first}\` succeeds`, () => {
      const forced = text.includes("'+refs/grite/*")
      if (forced) letBothSidesWrite()
      const commands = idsShown.reduce((left, shown, index) => left.replaceAll(shown, ids[index] ?? ''), text)
      const { status, stderr, stdout } = shell(repository, commands)
      assert.equal(status, 0, `${stdout}${stderr}`)
      if (!forced) return
      assert.match(stderr, /put back/)
      assert.ok(titles(repository).includes('Ours') && titles(repository).includes('Theirs'))
    })
  }

  /** Makes the logs of origin and repository diverge. */
  function letBothSidesWrite(): void {
    const other = clone('other')
    assert.equal(shell(other, "git fetch -q origin 'refs/grite/*:refs/grite/*'").status, 0)
    create(other, 'Theirs')
    assert.equal(shell(other, "git push -q origin 'refs/grite/*'").status, 0)
    create(repository, 'Ours')
    assert.notEqual(shell(repository, "git fetch -q origin 'refs/grite/*:refs/grite/*'").status, 0)
  }

  test('the README’s restore returns every exported event', () => {
    const events = (cwd: string) => JSON.parse(shell(cwd, 'grite export --format json').stdout).events
    const restored = new Set(events(join(repository, 'restored')).map((event: { event_id: string }) => event.event_id))
    const exported = JSON.parse(shell(repository, 'cat backup.json').stdout).events
    assert.deepEqual(
      exported.filter((event: { event_id: string }) => !restored.has(event.event_id)),
      [],
    )
  })
})

test('the README’s console example shows lines of the tour', () => {
  const tour = read('scripts/tour.mjs').replaceAll(/\\\\\\n' \+\n\s+'/g, '\\\n')
  const [picture] = fencesOf(readme).filter(({ language }) => language === 'console')
  const typed = [...(picture?.text ?? '').matchAll(/^\$ (.*(?:\\\n.*)*)$/gm)].map(([, line = '']) => line)
  assert.ok(typed.length >= 3)
  assert.deepEqual(
    typed.filter((line) => !tour.includes(line)),
    [],
  )
})
