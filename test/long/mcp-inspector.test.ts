/**
 * `grite mcp` under the command line of the MCP inspector. That package has 200 others, 325 MB, and needs a newer Node than grite, so
 * it is no development package: the test runs where `mcp-inspector` is on the PATH.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { createGriteSandbox, gritePath, type Json } from '../contract/grite-process.ts'

const { status: found } = spawnSync('mcp-inspector', ['--help'], { stdio: 'ignore' })
const skip = found === 0 ? false : '`mcp-inspector --help` does not run here'

test('the inspector lists and calls tools, reads resources and gets prompts', { skip }, (t) => {
  const place = createGriteSandbox(t)
  const issue = place.create('One')
  const inspect = (...words: readonly string[]): { readonly status: number | null; readonly answer: Json } => {
    const server = [process.execPath, gritePath, 'mcp', '--tools', 'all']
    const { status, stdout, stderr } = spawnSync('mcp-inspector', ['--cli', ...server, '--method', ...words], {
      cwd: place.path,
      env: place.environment,
      encoding: 'utf8',
    })
    assert.ok(stdout.startsWith('{'), stderr)
    return { status, answer: JSON.parse(stdout) }
  }
  const { tools } = inspect('tools/list').answer
  assert.ok(tools.length > 100)
  const shown = inspect('tools/call', '--tool-name', 'issue_show', '--tool-arg', `issue=${issue}`)
  assert.deepEqual([shown.status, shown.answer.structuredContent.data.issue.title], [0, 'One'])
  const missing = inspect('tools/call', '--tool-name', 'issue_show', '--tool-arg', 'issue=ffffffff')
  assert.equal(missing.answer.isError, true)
  assert.notEqual(missing.status, 0)
  assert.equal(inspect('resources/list').answer.resources.length, 2)
  assert.equal(inspect('resources/templates/list').answer.resourceTemplates.length, 2)
  assert.match(inspect('resources/read', '--uri', `grite://issue/${issue}`).answer.contents[0].text, /"title":"One"/)
  assert.deepEqual(
    inspect('prompts/list').answer.prompts.map(({ name }: Json) => name),
    ['start', 'hand-over'],
  )
  const start = inspect('prompts/get', '--prompt-name', 'start', '--prompt-args', `issue=${issue}`).answer
  assert.match(start.messages[0].content.text, new RegExp(issue))
})
