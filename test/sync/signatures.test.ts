/** `verify_signatures` for the events that a sync fetches. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type GriteSandbox, readFailure } from '../contract/grite-process.ts'
import { createFakeGit } from '../support/fake-git.ts'
import { checkBytes } from '../support/log.ts'
import { createLineClones, titlesIn } from './process-clones.ts'

/** Gives a clone an actor with a key. */
function giveKey(clone: GriteSandbox, label: string): string {
  const { actor_id } = clone.data('actor', 'init', `--label=${label}`, '--generate-key')
  clone.data('actor', 'use', actor_id)
  return actor_id
}

function setPolicy(clone: GriteSandbox, policy: string): void {
  const file = join(clone.path, '.git/grite/config.toml')
  mkdirSync(join(file, '..'), { recursive: true })
  const rest = existsSync(file) ? readFileSync(file, 'utf8').replace(/^verify_signatures.*\n/m, '') : ''
  writeFileSync(file, `verify_signatures = "${policy}"\n${rest}`)
}

/** Writes as another clone's actor, without its key. */
function forge(clone: GriteSandbox, actor: string, issue: string): string {
  const folder = join(clone.dir, 'forged')
  clone.git(clone.dir, 'init', '-q', folder)
  writeFileSync(join(folder, 'config.toml'), `actor_id = "${actor}"\n`)
  const { event_id } = clone.data(`--data-dir=${folder}`, 'issue', 'comment', issue, '--body=forged')
  rmSync(folder, { recursive: true })
  return event_id
}

test('a sync accepts signed events, and rejects or reports forged ones', (t) => {
  const setup = createLineClones(t)
  const [ann, bo, eve] = [setup.clone('ann'), setup.clone('bo'), setup.clone('eve')]
  const actor = giveKey(ann, 'ann')
  const issue = ann.create('of ann')
  ann.data('actor', 'rotate-key')
  ann.data('sync')
  setPolicy(bo, 'reject')
  assert.equal(bo.data('sync').pull_events, 3)
  assert.deepEqual(bo.data('issue', 'show', issue).issue.signatures.valid, 1)

  eve.data('sync')
  const forged = forge(eve, actor, issue)
  eve.data('sync')
  bo.create('of bo')
  const before = bo.head()
  for (const words of [['sync'], ['sync', '--pull']]) {
    const failure = readFailure(bo.grite(...words, '--json'))
    assert.deepEqual([failure.code, failure.status, failure.details.reason], ['remote_error', 5, 'signatures'])
    assert.deepEqual(
      failure.details.events.map((bad: { event_id: string; verdict: string }) => [bad.event_id, bad.verdict]),
      [[forged, 'missing']],
    )
    assert.equal(bo.head(), before)
  }
  assert.deepEqual(titlesIn(bo), ['of ann', 'of bo'])

  setPolicy(bo, 'warn')
  const { status, stdout } = bo.grite('sync', '--json')
  const { data, warnings } = JSON.parse(stdout)
  assert.deepEqual([status, data.pull_events, data.push_success], [0, 1, true])
  assert.deepEqual(
    warnings.map(({ code, details }: { code: string; details: { event_count: number } }) => [
      code,
      details.event_count,
    ]),
    [['bad-signature', 1]],
  )
  const shown = bo.data('issue', 'show', issue)
  assert.equal(shown.issue.comments[0].signature, 'missing')
  assert.match(bo.grite('issue', 'show', issue).stdout, /ann .*\[not signed, though this actor signs\]\n {2}forged/)
  assert.equal(bo.data('sync').message, 'Already up to date')
  for (const clone of [ann, bo, eve]) checkBytes(clone.path)
})

test('a sync without a signature policy judges nothing and starts maintenance', async (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  const actor = giveKey(ann, 'ann')
  const issue = ann.create('of ann')
  ann.data('sync')
  bo.data('sync')
  forge(bo, actor, issue)
  bo.data('sync')
  const fake = createFakeGit(ann)
  assert.equal(ann.griteWith({ env: fake.environment }, 'sync').status, 0)
  assert.equal((await fake.started()).words, 'maintenance run --auto --quiet')
  await fake.release()
  // A clone always knows its own key.
  assert.equal(ann.data('issue', 'show', issue).issue.signatures.missing, 1)
})
