/** The output of reading commands is the same with and without the rows files of the view. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createLineSandbox } from '../contract/grite-process.ts'

const sandbox = createLineSandbox({ after })
const { path, data, create, grite, git } = sandbox

const ids: string[] = []

before(() => {
  sandbox.data('actor', 'init', '--label', 'ann')
  for (let index = 0; index < 12; index++) {
    const words = [
      `--label=area-${index % 3}`,
      '--body',
      `Text ${index}\nwith "quotes" and é`,
      '--priority',
      `P${index % 4}`,
    ]
    ids.push(create(`Issue ${index} \u202e "x"`, ...words))
  }
  const [one = '', two = '', three = '', four = ''] = ids
  data('issue', 'comment', one, '--body', 'A comment')
  data('issue', 'comment', one, '--body', 'Another one')
  data('issue', 'dep', 'add', two, '--target', one)
  data('issue', 'update', three, '--parent', two, '--assignee', 'bob')
  data('issue', 'close', four)
  data('issue', 'claim', ids[4] as string)
  data('issue', 'link', 'add', one, '--url', 'https://example.org')
  data('issue', 'label', 'add', one, '--label', 'ui')
  // All that the order of work depends on.
  const [epic, , late, , memory] = ids.slice(5) as [string, string, string, string, string]
  data('issue', 'update', epic, '--type', 'epic')
  data('issue', 'update', late, '--due', '2026-01-01')
  data('issue', 'update', memory, '--label', 'memory')
  create('deferred', '--defer', '2999-01-01')
  create('part of it', '--parent', create('set aside', '--status', 'blocked'))
  create('[MEMORY] of a \\ and 😀')
})

const reads = (): readonly (readonly string[])[] => {
  const [one = '', two = '', three = '', four = ''] = ids
  const shown = [one, two, three, four, one.slice(0, 8), 'ffff', 'no id']
  return [
    ...shown.flatMap((id) => [
      ['issue', 'show', id],
      ['issue', 'show', id, '--json'],
    ]),
    ['show', one, '--fields', 'title,body'],
    ['show', one, '--no-events', '--json'],
    ['issue', 'list'],
    ['issue', 'list', '--json'],
    ['list', '--json', '--pretty'],
    ['list', '--state', 'closed', '--json'],
    ['list', '--label', 'ui'],
    ['list', '--label', 'area-1', '--label', 'nothing', '--json'],
    ['list', '--assignee', 'bob', '--json'],
    ['list', '--text', 'comment', '--json'],
    ['list', '--query', 'quotes', '--limit', '2'],
    ['list', '--query', 'is:ready', '--json'],
    ['list', '--sort', 'updated', '--limit', '3', '--json'],
    ['list', '--fields', 'issue_id,title'],
    ['ready'],
    ['ready', '--json'],
    ['ready', '--label', 'area-0', '--json'],
    ['ready', '--assignee', 'bob', '--limit', '1', '--json'],
    ['ready', '--sort', 'due', '--json'],
    ['ready', '--sort', 'created', '--limit', '3', '--json'],
    ['ready', '--type', 'epic'],
    ['ready', '--status', 'blocked', '--json'],
    ['ready', '--label', 'memory', '--json'],
    ['blocked', '--json'],
    ['prime'],
  ]
}

const actorsFolder = () => join(path, '.git/grite/actors')
const level = () => join(actorsFolder(), readdirSync(actorsFolder())[0] as string, 'level')
const rowsFiles = () => ['rows', 'rows.events'].map((name) => join(level(), name))

/** Time-dependent text, such as the remaining time of a claim. */
const steady = (text: string) => text.replaceAll(/for \d+ \w+|in \d+ \w+|\d+ seconds? ago/g, '')

function readAll(beforeEach: () => void): readonly unknown[] {
  return reads().map((words) => {
    beforeEach()
    const { status, stdout, stderr } = grite(...words)
    return { words, status, stdout: steady(stdout), stderr: steady(stderr) }
  })
}

const withoutRows = () => {
  for (const file of rowsFiles()) rmSync(file, { force: true })
}

describe('rows files', () => {
  let expected: readonly unknown[]
  before(() => {
    expected = readAll(withoutRows)
  })

  it('every reading command prints the same with them', () => {
    grite('issue', 'list')
    const [rows = '', events = ''] = rowsFiles()
    assert.ok(existsSync(rows) && existsSync(events))
    const inode = statSync(rows).ino
    assert.deepEqual(
      readAll(() => {}),
      expected,
    )
    assert.equal(statSync(rows).ino, inode)
  })

  it('damaged, cut off, empty or foreign files change nothing', () => {
    grite('issue', 'list')
    const whole = new Map(rowsFiles().map((file) => [file, readFileSync(file)]))
    let turn = 0
    const damages: ((file: string, bytes: Buffer) => void)[] = [
      (file, bytes) => {
        const damaged = Buffer.from(bytes)
        const place = (turn * 7919) % bytes.length
        damaged[place] = (damaged[place] as number) ^ (1 << (turn % 8))
        writeFileSync(file, damaged)
      },
      (file, bytes) => truncateSync(file, (turn * 104_729) % bytes.length),
      (file) => writeFileSync(file, ''),
      (file) => writeFileSync(file, 'not a rows file'),
      (file, bytes) =>
        writeFileSync(file, bytes.toString('latin1').replace(/"schema":"\d+"/, '"schema":"0"'), 'latin1'),
    ]
    assert.deepEqual(
      readAll(() => {
        turn++
        for (const [file, bytes] of whole) {
          writeFileSync(file, bytes)
          damages[turn % damages.length]?.(file, bytes)
        }
      }),
      expected,
    )
  })

  it('files of an older head, or of another log, are not used', (t) => {
    grite('issue', 'list')
    const [rows = '', events = ''] = rowsFiles()
    const kept = join(sandbox.dir, 'older')
    for (const [index, file] of [rows, events].entries()) cpSync(file, `${kept}-${index}`)
    const [one = ''] = ids
    data('issue', 'update', one, '--title', 'A new title')
    for (const [index, file] of [rows, events].entries()) cpSync(`${kept}-${index}`, file)
    assert.equal(data('issue', 'show', one).issue.title, 'A new title')
    for (const [index, file] of [rows, events].entries()) cpSync(`${kept}-${index}`, file)
    assert.ok(data('issue', 'list').issues.some(({ title }: { title: string }) => title === 'A new title'))
    const other = createLineSandbox(t)
    other.create('Elsewhere')
    other.data('issue', 'list')
    const otherActors = join(other.path, '.git/grite/actors')
    const otherLevel = join(otherActors, readdirSync(otherActors)[0] as string, 'level')
    cpSync(rows, join(otherLevel, 'rows'))
    cpSync(events, join(otherLevel, 'rows.events'))
    const titles = other.data('issue', 'list').issues.map(({ title }: { title: string }) => title)
    assert.deepEqual(titles, ['Elsewhere'])
  })

  it('a log that another program moved back is restored first', () => {
    const { length } = data('issue', 'list').issues
    const head = sandbox.head() as string
    git(path, 'update-ref', 'refs/grite/wal', `${head}~2`)
    const { status, stdout } = grite('issue', 'list', '--json')
    assert.equal(status, 0)
    assert.equal(JSON.parse(stdout).warnings[0].code, 'log-restored')
    assert.equal(JSON.parse(stdout).data.issues.length, length)
  })
})

describe('a whole list as JSON', () => {
  it('has the same issues in both layouts, and with a limit that leaves out none', () => {
    const text = grite('issue', 'list', '--json').stdout
    assert.equal(`${JSON.stringify(JSON.parse(text))}\n`, text)
    assert.deepEqual(JSON.parse(grite('issue', 'list', '--json', '--pretty').stdout), JSON.parse(text))
    assert.equal(grite('issue', 'list', '--json', '--limit', '10000').stdout, text)
    assert.equal(grite('issue', 'list', '--json', '--sort', 'created').stdout, text)
  })

  it('of ready issues has the same issues in both layouts', () => {
    const text = grite('ready', '--json').stdout
    assert.equal(`${JSON.stringify(JSON.parse(text))}\n`, text)
    assert.deepEqual(JSON.parse(grite('ready', '--json', '--pretty').stdout), JSON.parse(text))
    const [first] = JSON.parse(text).data.issues
    assert.deepEqual(data('ready', '--limit', '1').issues, [first])
  })

  it('with few issues or none is a list, too', (t) => {
    const few = createLineSandbox(t)
    assert.deepEqual(few.data('issue', 'list').issues, [])
    few.create('One')
    const text = few.grite('list', '--json').stdout
    assert.equal(JSON.parse(text).data.issues[0].title, 'One')
    assert.equal(few.grite('list', '--json', '--limit', '9').stdout, text)
    assert.deepEqual(JSON.parse(few.grite('list', '--json', '--pretty').stdout), JSON.parse(text))
  })
})
