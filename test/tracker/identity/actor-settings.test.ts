/** Settings that commands keep, and actors that they accept or create. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Event } from '../../../src/model/index.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'
import { batchOf, creation, issueId, recordOf } from '../../support/log.ts'
import { writeLog } from '../../support/snapshots.ts'

function setUp(t: TestContext) {
  const place = createCommandSandbox(t)
  const config = join(place.path, '.git/grite/config.toml')
  return {
    ...place,
    ...issueMaker(place),
    config,
    configure(text: string) {
      mkdirSync(join(config, '..'), { recursive: true })
      writeFileSync(config, text)
    },
    append: (events: readonly Event[], records = events.map(recordOf)) =>
      place.withRepository((repository) => writeLog(repository.git, [batchOf(events, { records })])),
  }
}

test('init and the first write keep existing settings', async (t) => {
  for (const command of ['init', 'issue create']) {
    const { run, configure, config } = setUp(t)
    configure('lock_policy = "require"\n[sync]\nremote = "upstream"\n')
    await run(command, command === 'init' ? {} : { title: 'one' })
    const text = readFileSync(config, 'utf8')
    for (const kept of [/^default_actor = "[0-9a-f]{32}"/m, /^lock_policy = "require"/m, /^remote = "upstream"/m])
      assert.match(text, kept)
  }
  const { run, configure, config } = setUp(t)
  configure('lock_policy = \n')
  await assert.rejects(run('init'), { code: 'invalid_args' })
  assert.equal(readFileSync(config, 'utf8'), 'lock_policy = \n')
})

test('an actor is selected by id, never by path', async (t) => {
  const { path, environment, create, dir } = setUp(t)
  await create('one')
  mkdirSync(join(dir, 'evil'))
  writeFileSync(join(dir, 'evil/config.toml'), `actor_id = "${'ee'.repeat(16)}"\n`)
  for (const actor of ['../../../../evil', join(dir, 'evil'), '..', '.', '']) {
    const runner = commandRunner({ cwd: path, env: environment, actor })
    await assert.rejects(runner.run('issue create', { title: 'two' }), { code: 'not_found' }, actor)
  }
  assert.equal(existsSync(join(dir, 'evil/level')), false)
})

test('read-only commands create no actor', async (t) => {
  const { run, path, append, config } = setUp(t)
  await append([creation(issueId('aa'), 'one')])
  for (const [command, input] of [
    ['issue list', {}],
    ['issue show', { issue: 'aa000000' }],
    ['ready', {}],
    ['export', { format: 'json' }],
    ['lock status', {}],
    ['db stats', {}],
    ['rebuild', {}],
    ['doctor', {}],
  ] as const)
    await run(command, input)
  assert.deepEqual([existsSync(join(path, '.git/grite/actors')), existsSync(config)], [false, false])
})
