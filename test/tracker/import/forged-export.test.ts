/** Imports of an export that was changed. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Event } from '../../../src/model/index.ts'
import { type CommandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { batchOf, creation, issueId } from '../../support/log.ts'
import { writeLog } from '../../support/snapshots.ts'

const titlesOf = async ({ run }: Pick<CommandRunner, 'run'>) =>
  ((await run('issue list')) as { issues: { title: string }[] }).issues.map(({ title }) => title).sort()

/** A repository whose log holds the issue aa. */
async function createLog(t: TestContext) {
  const place = createCommandSandbox(t)
  const append = (events: readonly Event[]) => place.withRepository(({ git }) => writeLog(git, [batchOf(events)]))
  await append([creation(issueId('aa'), 'good')])
  return { ...place, append }
}

test('import skips an event whose id does not match its content', async (t) => {
  const [source, target] = [await createLog(t), createCommandSandbox(t)]
  await source.append([creation(issueId('bb'), 'beside')])
  const { content } = (await source.run('export', { format: 'json' })) as { content: object }
  const file = join(source.dir, 'all.json')
  writeFileSync(file, JSON.stringify(content).replaceAll('"good"', '"evil"'))
  await target.run('import', { file })
  assert.deepEqual(await titlesOf(target), ['beside'])
})
