/** Rejected input: error code, exit status, a message that names field and value, and an unchanged repository. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { limits } from '../../src/model/limits.ts'
import { createLineSandbox, type Json, readFailure } from './grite-process.ts'

const place = createLineSandbox({ after })

// Enough issues that some ids share their first four characters.
const titles = Array.from({ length: 1500 }, (_, index) => JSON.stringify({ op: 'create', title: `Issue ${index}` }))
const made = JSON.parse(place.griteWith({ stdin: titles.join('\n') }, 'batch', '--json').stdout).data
const ids: readonly string[] = made.results.map((result: Json) => result.issue_id).sort()
const shared = (ids.find((id, index) => ids[index + 1]?.startsWith(id.slice(0, 4))) as string).slice(0, 4)
const id = ids[0] as string
const absent = id.startsWith('ffffff') ? '00000000' : 'ffffffff'

const creationOf = (issueId: string) =>
  made.results.find((result: Json) => result.issue_id === issueId).event_id as string

interface Refusal {
  readonly title: string
  readonly words: readonly string[]
  readonly code?: string
  readonly status?: number
  /** Texts that the message contains. */
  readonly says: readonly string[]
  readonly details?: Readonly<Record<string, unknown>>
  readonly stdin?: string
}

const refusals: readonly Refusal[] = [
  // Ids
  { title: 'an unknown id', words: ['issue', 'show', absent], code: 'not_found', status: 3, says: [absent] },
  {
    title: 'an unknown full id',
    words: ['issue', 'close', absent.repeat(4)],
    code: 'not_found',
    status: 3,
    says: [absent.repeat(4)],
  },
  {
    title: 'an ambiguous id',
    words: ['issue', 'show', shared],
    says: [`'${shared}' is ambiguous`, ...ids.filter((each) => each.startsWith(shared)).slice(0, 2)],
  },
  {
    title: 'a short id',
    words: ['issue', 'show', id.slice(0, limits.issueIdPrefixMin - 1)],
    says: [`'${id.slice(0, 3)}' is too short`, `at least ${limits.issueIdPrefixMin}`],
  },
  {
    title: 'an id that is not hexadecimal',
    words: ['issue', 'show', 'wxyz'],
    says: ["'wxyz' is not an issue id", 'hexadecimal'],
  },
  { title: 'an empty id', words: ['issue', 'show', ''], says: ["'' is not an issue id"] },
  {
    title: 'an id that is too long',
    words: ['issue', 'show', `${id}0`],
    code: 'not_found',
    status: 3,
    says: [`${id}0`],
  },
  {
    title: 'one unknown id among good ones',
    words: ['issue', 'close', id, absent],
    code: 'not_found',
    status: 3,
    says: [absent],
  },
  {
    title: 'an unknown actor',
    words: ['issue', 'list', '--actor=ffffffff'],
    code: 'not_found',
    status: 3,
    says: ["'ffffffff'"],
  },
  {
    title: 'an actor directory without an actor',
    words: ['issue', 'create', '--title=x', '--data-dir=/nonexistent'],
    code: 'not_found',
    status: 3,
    says: ['/nonexistent'],
  },
  {
    title: 'an unknown actor to use',
    words: ['actor', 'use', 'ffffffff'],
    code: 'not_found',
    status: 3,
    says: ["'ffffffff'"],
  },
  {
    title: 'a reply to an unknown comment',
    words: ['issue', 'comment', id, '--body=x', `--reply-to=${'a'.repeat(64)}`],
    code: 'not_found',
    status: 3,
    says: [id, 'a'.repeat(64)],
    details: { field: 'reply-to' },
  },
  {
    title: 'a reply to an event other than a comment',
    words: ['issue', 'comment', id, '--body=x', `--reply-to=${creationOf(id)}`],
    code: 'not_found',
    status: 3,
    says: ['has no comment'],
  },
  {
    title: 'a reply to a malformed event id',
    words: ['issue', 'comment', id, '--body=x', '--reply-to=zz'],
    says: ["'zz'"],
  },
  // Text
  {
    title: 'an empty title',
    words: ['issue', 'create', '--title='],
    says: ['title must not be empty'],
    details: { field: 'title', value: '' },
  },
  { title: 'a blank title', words: ['issue', 'create', '--title= \t\n'], says: ['title must not be empty'] },
  { title: 'a new issue without a title', words: ['issue', 'create'], says: ['a title is required', '--title'] },
  { title: 'an empty new title', words: ['issue', 'update', id, '--title='], says: ['title must not be empty'] },
  { title: 'an empty comment', words: ['issue', 'comment', id, '--body='], says: ['body must not be empty'] },
  { title: 'a comment without text', words: ['issue', 'comment', id], says: ['--body or --body-file is required'] },
  { title: 'a blank label', words: ['issue', 'label', 'add', id, '--label= '], says: ['label must not be empty'] },
  {
    title: 'a blank label on a new issue',
    words: ['issue', 'create', '--title=x', '--label='],
    says: ['label must not be empty'],
  },
  { title: 'a blank assignee', words: ['issue', 'assignee', 'add', id, '--user='], says: ['user must not be empty'] },
  { title: 'a blank url', words: ['issue', 'link', 'add', id, '--url='], says: ['url must not be empty'] },
  {
    title: 'both body and body file',
    words: ['issue', 'create', '--title=x', '--body=a', '--body-file=-'],
    says: ['--body and --body-file cannot be combined'],
  },
  {
    title: 'a missing body file',
    words: ['issue', 'create', '--title=x', '--body-file=none.md'],
    code: 'not_found',
    status: 3,
    says: ['--body-file none.md', 'ENOENT'],
  },
  {
    title: 'a body file that is not UTF-8',
    words: ['issue', 'create', '--title=x', '--body-file=binary'],
    says: ['--body-file binary is not UTF-8'],
  },
  // Choices, times, fields
  {
    title: 'an unknown state',
    words: ['issue', 'list', '--state=done'],
    says: ['--state', "'done'", 'open, closed or all'],
    details: { field: 'state', value: 'done', allowed: ['open', 'closed', 'all'] },
  },
  { title: 'a malformed duration', words: ['issue', 'list', '--since=7x'], says: ['--since', "'7x'", '7d'] },
  {
    title: 'a date with a thirtieth of February',
    words: ['issue', 'list', '--since=2026-02-30'],
    says: ['--since', "'2026-02-30'"],
  },
  {
    title: 'a date with a thirteenth month',
    words: ['issue', 'list', '--since=2026-13-01'],
    says: ['--since', "'2026-13-01'"],
  },
  { title: 'an empty time', words: ['issue', 'list', '--since='], says: ['--since', "''"] },
  { title: 'an endless duration', words: ['issue', 'list', `--since=${'9'.repeat(400)}d`], says: ['--since'] },
  { title: 'a time beyond the calendar', words: ['issue', 'list', `--since=${'9'.repeat(30)}`], says: ['--since'] },
  {
    title: 'an export since an unknown event',
    words: ['export', '--format=json', `--since=${'ab'.repeat(32)}`],
    says: ['--since', 'ab'.repeat(32)],
  },
  {
    title: 'an unknown sort order',
    words: ['issue', 'list', '--sort=size'],
    says: ['--sort', "'size'", 'created, updated, title, priority'],
  },
  {
    title: 'a limit that is not a number',
    words: ['issue', 'list', '--limit=ten'],
    says: ['--limit', "'ten'", 'whole number'],
  },
  { title: 'a negative limit', words: ['issue', 'list', '--limit=-1'], says: ['--limit', "'-1'"] },
  {
    title: 'an unknown key of --fields',
    words: ['issue', 'list', '--fields=title,colour'],
    says: ['--fields', "'colour'", 'issue_id'],
  },
  {
    title: 'an unknown author',
    words: ['issue', 'list', '--author=nobody'],
    code: 'not_found',
    status: 3,
    says: ["'nobody'"],
    details: { field: 'author' },
  },
  {
    title: 'an unknown qualifier in a query',
    words: ['search', 'state:open', 'asignee:ann'],
    says: ["no qualifier 'asignee'", 'character 12', 'assignee'],
    details: { field: 'query', position: 12, qualifier: 'asignee', value: 'ann' },
  },
  {
    title: 'an invalid value in a query',
    words: ['issue', 'list', '--query=priority:<P9'],
    says: ['priority', "'<P9'", 'P0, P1'],
  },
  { title: 'a search without a query', words: ['search'], says: ['<query...>'] },
  {
    title: 'an invalid query name',
    words: ['query', 'save', 'a b', 'x'],
    says: ['name', "'a b'", 'letters'],
    details: { field: 'name', value: 'a b' },
  },
  {
    title: 'an unknown saved query',
    words: ['query', 'run', 'none'],
    code: 'not_found',
    status: 3,
    says: ["'none'"],
  },
  {
    title: 'undo of a new issue',
    words: ['undo', creationOf(id)],
    says: [creationOf(id).slice(0, 8), 'a new issue stays'],
  },
  { title: 'an event id that is too short', words: ['undo', 'abcdef'], says: ["'abcdef'", 'at least 7'] },
  { title: 'an unknown event', words: ['undo', absent], code: 'not_found', status: 3, says: [absent] },
  {
    title: 'an unknown priority',
    words: ['issue', 'create', '--title=x', '--priority=high'],
    says: ['priority', "'high'", 'P0, P1, P2, P3 or P4'],
  },
  { title: 'a priority that is too low', words: ['issue', 'update', id, '--priority=P5'], says: ['priority', "'P5'"] },
  {
    title: 'an invalid priority label',
    words: ['issue', 'label', 'add', id, '--label=priority:urgent'],
    says: ['priority', "'urgent'"],
  },
  {
    title: 'a field label without a value',
    words: ['issue', 'label', 'add', id, '--label=priority:'],
    says: ['priority'],
  },
  {
    title: 'a due date with a thirtieth of February',
    words: ['issue', 'update', id, '--due=2026-02-30'],
    says: ['due', "'2026-02-30'", 'YYYY-MM-DD'],
  },
  {
    title: 'a due date in words',
    words: ['issue', 'create', '--title=x', '--due=someday'],
    says: ['due', "'someday'", 'YYYY-MM-DD', 'tomorrow', '2w'],
  },
  {
    title: 'an unknown key of --set',
    words: ['issue', 'update', id, '--set=colour=red'],
    says: ['--set', "'colour=red'", 'priority, type'],
  },
  {
    title: '--set without an equals sign',
    words: ['issue', 'update', id, '--set=due'],
    says: ['--set', "'due'", 'key=value'],
  },
  {
    title: 'a field given twice',
    words: ['issue', 'update', id, '--priority=1', '--set=priority=2'],
    says: ['priority is given twice', "'P1' (priority)", "'P2' (set priority=2)"],
  },
  {
    title: 'an unknown parent',
    words: ['issue', 'create', '--title=x', `--parent=${absent}`],
    code: 'not_found',
    status: 3,
    says: [absent],
  },
  { title: 'an issue as its own parent', words: ['issue', 'update', id, `--parent=${id}`], says: ['parent', id] },
  { title: 'an update without changes', words: ['issue', 'update', id], says: ['nothing to change', '--title'] },
  {
    title: 'an attachment with a malformed hash',
    words: ['issue', 'attachment', 'add', id, '--name=n', '--mime=m', '--sha256=xy'],
    says: ["'xy'"],
  },
  {
    title: 'an attachment without a hash',
    words: ['issue', 'attachment', 'add', id, '--name=n', '--mime=m'],
    says: ['--sha256 is required'],
  },
  {
    title: 'a missing attachment file',
    words: ['issue', 'attachment', 'add', id, '--file=none'],
    code: 'not_found',
    status: 3,
    says: ['--file none'],
  },
  {
    title: 'a directory as attachment file',
    words: ['issue', 'attachment', 'add', id, '--file=folder'],
    says: ['--file folder'],
    code: 'not_found',
    status: 3,
  },
  {
    title: 'an unknown attachment',
    words: ['issue', 'attachment', 'get', id, 'none'],
    code: 'not_found',
    status: 3,
    says: ["'none'"],
  },
  { title: 'an unknown export format', words: ['export', '--format=xml'], says: ['--format', "'xml'", 'json, md'] },
  { title: 'an export without a format', words: ['export'], says: ['--format', 'json, md', '--streams'] },
  { title: 'an export of two kinds', words: ['export', '--streams', '--since=7d'], says: ['--since', '--streams'] },
  {
    title: 'an export into a missing directory',
    words: ['export', '--format=json', '--output=none/x.json'],
    code: 'io_error',
    status: 5,
    says: ['none/x.json'],
  },
  {
    title: 'a missing import file',
    words: ['import', 'none.jsonl'],
    code: 'not_found',
    status: 3,
    says: ['none.jsonl'],
  },
  { title: 'an import file of unknown format', words: ['import', 'binary'], says: ['binary', '--format'] },
  { title: 'an unknown shell', words: ['completion', 'tcsh'], says: ["'tcsh'", 'bash, zsh, fish'] },
  // Batch: one bad line, and no line is applied.
  {
    title: 'a batch line that is not JSON',
    words: ['batch'],
    stdin: '{"op":"create","title":"x"}\n{oops\n',
    says: ['line 2', 'JSON'],
    details: { line: 2 },
  },
  { title: 'a batch line that is not an object', words: ['batch'], stdin: '[]\n', says: ['line 1', 'object'] },
  {
    title: 'an unknown batch operation',
    words: ['batch'],
    stdin: '{"op":"destroy"}\n',
    says: ['line 1', 'destroy', 'create, update'],
  },
  {
    title: 'an unknown batch key',
    words: ['batch'],
    stdin: '{"op":"create","title":"x","colour":1}\n',
    says: ['line 1', 'colour', 'title, body'],
  },
  {
    title: 'a batch value of the wrong type',
    words: ['batch'],
    stdin: '{"op":"create","title":7}\n',
    says: ['line 1', 'title', 'text', '7'],
  },
  {
    title: 'a batch with an unknown id',
    words: ['batch'],
    stdin: `{"op":"create","title":"x"}\n{"op":"close","issue":"${absent}"}\n`,
    code: 'not_found',
    status: 3,
    says: ['line 2', absent],
  },
  {
    title: 'a batch with an unknown name',
    words: ['batch'],
    stdin: '{"op":"close","issue":"@x"}\n',
    says: ["line 1: issue '@x'"],
    details: { line: 1 },
  },
  {
    title: 'a batch with an unknown parent name',
    words: ['batch'],
    stdin: '{"op":"create","title":"x","parent":"@y"}\n',
    says: ['line 1', '@y'],
  },
  {
    title: 'a batch with an empty title',
    words: ['batch'],
    stdin: '{"op":"create","title":"x"}\n{"op":"create","title":" "}\n',
    says: ['line 2', 'title must not be empty'],
    details: { line: 2 },
  },
  {
    title: 'a batch field that is not text',
    words: ['batch'],
    stdin: '{"op":"create","title":"x","set":{"type":{"a":1}}}\n',
    says: ['line 1', 'set.type', 'an object'],
  },
  // Command line
  { title: 'an unknown command', words: ['isue', 'list'], says: ["unknown command 'isue'"] },
  { title: 'an unknown option', words: ['issue', 'list', '--colour'], says: ['unknown option --colour'] },
  { title: 'an option without its value', words: ['issue', 'list', '--state'], says: ['--state needs a value'] },
  {
    title: 'a boolean option with a value',
    words: ['issue', 'list', '--reverse=yes'],
    says: ['--reverse takes no value'],
  },
  {
    title: 'an option given twice',
    words: ['issue', 'list', '--state=open', '--state=closed'],
    says: ['--state can be given only once'],
  },
  { title: 'a surplus argument', words: ['issue', 'show', id, 'more'], says: ["unexpected argument 'more'"] },
  { title: 'a missing argument', words: ['issue', 'show'], says: ['missing required argument <issue>'] },
  { title: 'a command group without a command', words: ['issue'], says: ['`grite issue` needs a command'] },
]

writeFileSync(join(place.path, 'binary'), Buffer.from([0x00, 0xff, 0xfe, 0x80]))
mkdirSync(join(place.path, 'folder'))
const objectsBefore = place.git(place.path, 'count-objects', '-v')
const viewBefore = place.grite('issue', 'list', '--json').stdout

for (const { title, words, code = 'invalid_args', status = 2, says, details, stdin } of refusals) {
  test(`rejects ${title}`, () => {
    const head = place.head()
    const failure = readFailure(place.griteWith({ stdin: stdin ?? '' }, '--json', ...words))
    assert.deepEqual([failure.code, failure.status], [code, status], failure.message)
    assert.doesNotMatch(failure.message, /line \d+: line \d/)
    for (const text of says) assert.ok(failure.message.includes(text), `${failure.message}\nlacks: ${text}`)
    for (const [key, value] of Object.entries(details ?? {})) assert.deepEqual(failure.details[key], value)
    assert.equal(place.head(), head)
  })
}

test('rejected input changes neither objects nor view', () => {
  assert.equal(place.git(place.path, 'count-objects', '-v'), objectsBefore)
  assert.equal(place.grite('issue', 'list', '--json').stdout, viewBefore)
})

test('without --json, an error is plain text with equal exit status', () => {
  const { status, stdout, stderr } = place.grite('issue', 'show', absent)
  assert.deepEqual({ status, stdout }, { status: 3, stdout: '' })
  assert.equal(
    stderr,
    `error: not found: no issue has the id '${absent}'\n\nSuggestions:\n  - Run \`grite issue list\` to see the issues\n`,
  )
})

test('--json works at any position of a faulty command line', () => {
  for (const words of [
    ['--json', 'issue', 'list', '--colour'],
    ['issue', '--json', 'list', '--state', 'done'],
    ['issue', 'list', '--state', '--json'],
    ['isue', '--json'],
    ['--json'],
  ]) {
    assert.equal(readFailure(place.grite(...words)).code, 'invalid_args', words.join(' '))
  }
  assert.match(place.grite('issue', 'list', '--colour').stderr, /^error: invalid arguments: /)
})

test('a title may look like an option', () => {
  for (const [words, title] of [
    [['--title=--json'], '--json'],
    [['--title', '-x'], '-x'],
    [['--title', '--', '--body', '-y'], '--'],
  ] as const) {
    const { status, stdout, stderr } = place.grite('issue', 'create', ...words, '--json')
    assert.equal(status, 0, stderr)
    assert.equal(JSON.parse(stdout).data.title, title)
  }
})

test('a body may begin with a hyphen', () => {
  const issueId = place.create('dashes', '--body', '-x')
  assert.equal(place.data('issue', 'show', issueId).issue.body, '-x')
  place.data('issue', 'comment', issueId, '--body', '--json')
  assert.equal(place.data('issue', 'show', issueId).issue.comments[0].body, '--json')
  place.data('issue', 'link', 'add', issueId, '--url', 'https://example.org', '--note', '-n')
  assert.equal(place.data('issue', 'show', issueId).issue.links[0].note, '-n')
})
