/** Holds the table of columns in docs/cli.md to what `--header` prints. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { renderers } from '../../src/cli/render/index.ts'
import { plainStyle } from '../../src/cli/render/style.ts'
import type { OptionTable } from '../../src/commands/define-command.ts'
import { allCommands } from '../../src/commands/index.ts'
import { onParts, textOf } from '../cli/render/text-of.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { read } from '../tidy/source-files.ts'

const [, section = ''] = read('docs/cli.md').split('## Tab-separated output')
/** Columns by command, as documented. */
const documented = new Map<string, string>()
for (const [, commands = '', columns = ''] of section.split('\n## ')[0]?.matchAll(/^\| (`.+`) \| (.+) \|$/gm) ?? []) {
  const [list = ''] = columns.split(':')
  const whole = list.replace('as `issue list`, then', `${documented.get('issue list')},`)
  for (const [, command = ''] of commands.matchAll(/`([^`]+)`/g)) documented.set(command, whole)
}

/** Other commands take headers of a record. */
const hasColumns = (options: OptionTable): boolean => options.header?.type === 'boolean'

describe('tab-separated output', () => {
  const place = createCommandSandbox({ after })
  const inputs = new Map<string, object>()

  before(async () => {
    await place.run('actor init', { label: 'ann' })
    const create = async (title: string) =>
      ((await place.run('issue create', { title })) as { issue_id: string }).issue_id
    const [issue, target] = [await create('One'), await create('Two')]
    await place.run('issue dep add', { issue, target })
    mkdirSync(place.path, { recursive: true })
    writeFileSync(join(place.path, 'a.log'), 'text')
    await place.run('issue attachment add', { issue, file: 'a.log' })
    await place.run('query save', { name: 'all', query: ['state:all'] })
    await place.run('lock acquire', { resource: 'path:src' })
    await place.run('snapshot create')
    await place.run('stream create', { stream: 's', label: ['kind=x'] })
    for (const name of ['issue history', 'issue dep list', 'issue attachment list']) inputs.set(name, { issue })
    inputs.set('query run', { name: 'all' })
    inputs.set('search', { query: ['One'] })
  })

  for (const { name, options } of allCommands) {
    if (!hasColumns(options)) continue
    test(`${name} --header prints the documented columns`, async () => {
      const data = await place.run(name, inputs.get(name) as Record<string, unknown>)
      const render = onParts((await renderers[name]?.()) as (data: unknown, view: object) => string)
      const text = await textOf(
        render(data as never, { width: null, style: plainStyle, nowUnixMs: Date.now(), quiet: false, header: true }),
      )
      const [header = '', ...rows] = text.replace(/\n$/, '').split('\n')
      assert.equal(header.replaceAll('\t', ', '), documented.get(name))
      assert.equal(rows[0]?.split('\t').length, header.split('\t').length)
    })
  }

  for (const name of ['issue list', 'ready', 'blocked', 'board']) {
    test(`${name} --header prints nothing for an empty list`, async () => {
      const data = await place.run(name, { label: ['none-such'] })
      const render = onParts((await renderers[name]?.()) as (data: unknown, view: object) => string)
      const view = { width: null, style: plainStyle, nowUnixMs: Date.now(), quiet: false, header: true }
      assert.equal(await textOf(render(data as never, view)), '')
    })
  }

  test('every documented table has --header', () => {
    const names = allCommands.filter(({ options }) => hasColumns(options)).map(({ name }) => name)
    assert.deepEqual([...documented.keys()].sort(), names.sort())
  })
})
