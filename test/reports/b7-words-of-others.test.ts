/** Foreign text in output: bounded in messages, escaped in JSON on a terminal. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defineCommand } from '../../src/commands/define-command.ts'
import { NotFoundError } from '../../src/model/index.ts'
import { type CliOptions, runCli } from '../cli/run-cli.ts'
import { batchOf, creation, filesOf, issueId, segmentOfFiles } from '../support/log.ts'

const odd = 'safe\x9b31m\u202edc\u2066'

function command(run: Parameters<typeof defineCommand>[0]['run'], isFeed = false) {
  return defineCommand({
    name: 'try',
    summary: 'Try',
    examples: [{ command: 'grite try', explains: 'it' }],
    ...(isFeed ? { isFeed: true } : {}),
    effect: 'reads',
    arguments: {},
    options: {},
    run,
  })
}

const answering = command(async ({ warn }) => {
  warn({ code: 'odd', message: odd, details: { odd } })
  return { data: { odd } }
})
const failing = command(async () => {
  throw new NotFoundError(odd, { details: { odd } })
})
const feeding = command(async ({ emit, warn }) => {
  warn({ code: 'odd', message: odd })
  await emit({ odd })
  return { data: {} }
}, true)

const run = (tried: ReturnType<typeof command>, options: CliOptions, ...words: readonly string[]) =>
  runCli(['try', ...words], { commands: [tried], ...options })
const isHidden = (text: string) => /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(text)

describe('JSON on a terminal', () => {
  for (const [title, tried] of [
    ['an answer', answering],
    ['a failure', failing],
    ['a feed', feeding],
  ] as const) {
    test(`JSON on a terminal is escaped but equal: ${title}`, async () => {
      const plain = await run(tried, {}, '--json')
      const shown = await run(tried, { columns: 80, errorColumns: 80 }, '--json')
      assert.ok(isHidden(plain.stdout + plain.stderr))
      assert.ok(!isHidden(shown.stdout + shown.stderr))
      for (const stream of ['stdout', 'stderr'] as const) {
        const documents = (text: string) => (title === 'a feed' ? text.trim().split('\n') : [text]).filter(Boolean)
        assert.deepEqual(
          documents(shown[stream]).map((text) => JSON.parse(text)),
          documents(plain[stream]).map((text) => JSON.parse(text)),
        )
      }
    })
  }
})

describe('long messages', () => {
  const long = 'x'.repeat(1_000_000)
  const cut = `${'x'.repeat(4095)}… (995905 more characters)`

  test('a warning and its details are bounded and count the rest', async () => {
    const details = {
      name: long,
      refs: Array(5000).fill('ref'),
      of: [{ ids: Array(1001).fill(1) }],
      short: ['a', null],
    }
    const warning = command(async ({ warn }) => {
      warn({ code: 'long', message: long, details })
      return { data: {} }
    })
    const { warnings } = JSON.parse((await run(warning, {}, '--json')).stdout)
    assert.deepEqual(warnings, [
      {
        code: 'long',
        message: cut,
        details: {
          name: cut,
          refs: Array(1000).fill('ref'),
          of: [{ ids: Array(1000).fill(1) }],
          short: ['a', null],
          left_out: { refs: 4000, 'of[0].ids': 1 },
        },
      },
    ])
    assert.equal((await run(warning, {})).stderr, `warning: ${cut}\n`)
  })

  test('a failure is bounded and cuts no suggestion in half', async () => {
    const failure = command(async () => {
      throw new NotFoundError(long, {
        details: { refs: Array(5000).fill(long) },
        hints: [`Run \`grite ${long}\``, 'Look'],
      })
    })
    const { error } = JSON.parse((await run(failure, {}, '--json')).stderr)
    assert.equal(error.message, `not found: ${cut}`.replace('x'.repeat(11), '').replace('995905', '995916'))
    assert.deepEqual(error.details, {
      refs: Array(1000).fill(cut),
      left_out: { refs: 4000 },
      suggestions: ['(omitted a suggestion of 1000012 characters)', 'Look'],
    })
  })

  test('a problem of a commit’s file is bounded for any path', () => {
    const files = new Map(filesOf(batchOf([creation(issueId('a0'))]), null))
    const chunk = [...files].find(([path]) => path.endsWith('.bin'))?.[1] as Uint8Array
    files.set(`events/${'p'.repeat(3000)}\x9b.bin`, Buffer.from(`${chunk}x`))
    files.set(`attachments/${'a'.repeat(64)}`, Buffer.from('y'))
    const { problems } = segmentOfFiles(files, 'e'.repeat(40))
    assert.ok(problems.length >= 2)
    for (const { reason } of problems) assert.ok(reason.length <= 400, reason)
  })
})
