/** Runs the job of docs/ci.md block by block. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gritePath } from '../contract/grite-process.ts'
import { createProcessClones } from '../sync/process-clones.ts'
import { fencesOf } from '../tidy/commands-in-text.ts'
import { read } from '../tidy/source-files.ts'

const page = read('docs/ci.md')
const pieces = fencesOf(page).filter(({ language }) => language === 'sh')
/** The lines of the job, in order. */
const job = pieces.flatMap(({ text }) => text.split('\n'))

const setup = createProcessClones({ after }, (origin) => `file://${origin}`)
const ann = setup.clone('ann')

/** Runs a block of the page as a CI runner does: in a shell that ends at the first failure. */
function run(path: string, text: string) {
  const { PATH = '', ...environment } = ann.environment
  return spawnSync('bash', ['-euo', 'pipefail', '-c', text], {
    cwd: path,
    env: { ...environment, PATH: `${join(ann.dir, 'bin')}:${PATH}`, CI: 'true' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

before(() => {
  mkdirSync(join(ann.dir, 'bin'))
  symlinkSync(gritePath, join(ann.dir, 'bin/grite'))
  setup.inOrigin('config', 'uploadpack.allowFilter', 'true')
  setup.inOrigin('config', 'uploadpack.allowAnySHA1InWant', 'true')
  for (const title of ['one', 'two']) ann.create(title)
  ann.data('sync')
})

for (const options of [['--depth=1'], ['--filter=blob:none'], ['--depth=1', '--filter=blob:none']]) {
  const name = options.join('').replaceAll(/\W/g, '')
  describe(`the job of docs/ci.md in a clone with ${options.join(' ')}`, () => {
    let path: string
    before(() => {
      ;({ path } = setup.clone(name, ...options))
    })

    for (const { text, line } of pieces) {
      it(`docs/ci.md: the block at line ${line} succeeds: ${text.split('\n')[0]}`, () => {
        const { status, stdout, stderr } = run(path, text)
        assert.deepEqual([status, stderr.replaceAll(/^From .*\n.*-> refs\/grite\/wal\n/gm, '')], [0, ''], stdout)
      })
    }

    it('the job exports every issue and leaves the checkout unchanged', () => {
      const { issues } = JSON.parse(readFileSync(join(path, 'issues.json'), 'utf8'))
      assert.deepEqual(issues.map(({ title }: { title: string }) => title).sort(), ['one', 'two'])
      assert.equal(
        run(path, 'git rev-parse --is-shallow-repository').stdout.trim(),
        String(options.includes('--depth=1')),
      )
      assert.equal(run(path, 'git status --porcelain').stdout, '?? issues.json\n?? issues.md\n?? ready.json\n')
    })
  })
}

describe('the gate of docs/ci.md', () => {
  it('the gate fails while a blocker is open, in a reused workspace', () => {
    const { path } = setup.clone('gate', '--depth=1')
    const gate = job.find((line) => line.includes('release-blocker')) ?? ''
    const fetch = pieces[0]?.text ?? ''
    assert.equal(run(path, `${fetch}\n${gate}`).status, 0)
    const blocker = ann.create('not yet', '--label=release-blocker')
    ann.data('sync')
    const { status, stdout } = run(path, `${fetch}\n${gate}`)
    assert.equal(status, 1)
    assert.match(stdout, /not yet/)
    ann.data('issue', 'close', blocker)
    ann.data('sync')
    assert.equal(run(path, `${fetch}\n${gate}`).status, 0)
  })

  it('the gate fails when the log cannot be fetched', () => {
    const { path } = setup.clone('unreadable', '--depth=1')
    const gate = job.find((line) => line.includes('release-blocker')) ?? ''
    const { status } = run(path, `${pieces[0]?.text.replaceAll('origin', 'nowhere')}\n${gate}`)
    assert.notEqual(status, 0)
  })
})

it('the files for CI systems contain only lines of the job', () => {
  const files = fencesOf(page).filter(({ language }) => language === 'yaml')
  assert.equal(files.length, 2)
  for (const { text } of files) {
    const lines = [...text.matchAll(/^ +- (?:run: )?((?:git|grite) .*)$/gm)].map(([, line = '']) => line)
    assert.ok(lines.length >= 4)
    assert.deepEqual(
      lines.filter((line) => !job.includes(line)),
      [],
    )
  }
})
