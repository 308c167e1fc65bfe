/** Runs every command with `--json`. Rows run in order on one repository; the table is the contract. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { parseArgv } from '../../src/cli/parse-argv.ts'
import { whyGitLacks } from '../git/git-features.ts'
import { createLineSandbox, griteIn, type Json } from './grite-process.ts'
import { jsonContract, keyFaults, objectsAt } from './json-contract.ts'
import { schemaFaults, schemaOfCommand } from './schemas.ts'

const place = createLineSandbox({ after })
const processes = griteIn(place, place.path)
/** A twin has a daemon already. */
const isTwin = process.env.GRITE_TEST_TWIN === 'daemon'
writeFileSync(join(place.path, 'crash.log'), 'trace\n')
writeFileSync(
  join(place.path, 'tracker.jsonl'),
  [
    '{"id":"bd-1","title":"Old","status":"open","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"}',
    '{"id":"bd-2","title":"Older","status":"open","created_at":"2024-01-01T00:00:00Z","updated_at":"2024-01-01T00:00:00Z","dependencies":[{"issue_id":"bd-2","depends_on_id":"bd-1","type":"blocks","created_at":"2024-01-01T00:00:00Z"},{"issue_id":"bd-2","depends_on_id":"bd-0","type":"blocks"}]}',
    '{"id":',
    '',
  ].join('\n'),
)
writeFileSync(join(place.path, 'operations.jsonl'), '')

/** Ids created by earlier rows. */
const known = { parent: '', issue: '', actor: '', comment: '' }

interface Row {
  readonly command: string
  readonly words: () => readonly string[]
  readonly status?: number
  readonly stdin?: string
  /** Further assertions on the data. */
  readonly expect?: (data: Json) => void
}

const rows: readonly Row[] = [
  { command: 'init', words: () => [], expect: (data) => assert.equal(data.action, 'created') },
  { command: 'init', words: () => ['--no-agents-md'], expect: (data) => assert.equal(data.action, 'existing') },
  {
    command: 'init',
    words: () => ['--agents-md'],
    expect: (data) =>
      assert.deepEqual([data.agents_md_action, data.agents_md_path], ['created', join(place.path, 'AGENTS.md')]),
  },
  { command: 'install-skill', words: () => [], expect: (data) => assert.equal(data.action, 'created') },
  {
    command: 'actor init',
    words: () => ['--label=ci', '--generate-key'],
    expect(data) {
      known.actor = data.actor_id
      assert.match(data.public_key, /^[0-9a-f]{64}$/)
    },
  },
  { command: 'actor list', words: () => [], expect: (data) => assert.equal(data.actors.length, 2) },
  { command: 'actor show', words: () => [known.actor.slice(0, 8)] },
  { command: 'actor use', words: () => [known.actor], expect: (data) => assert.equal(data.default_actor, known.actor) },
  { command: 'actor current', words: () => [], expect: (data) => assert.equal(data.source, 'repo_default') },
  {
    command: 'issue create',
    words: () => ['--title=Epic'],
    expect(data) {
      known.parent = data.issue_id
    },
  },
  {
    command: 'issue create',
    words: () => ['--title=Crash', '--body=text', '--label=bug', '--assignee=ann', `--parent=${known.parent}`],
    expect(data) {
      known.issue = data.issue_id
      assert.match(data.issue_id, /^[0-9a-f]{32}$/)
      assert.match(data.event_id, /^[0-9a-f]{64}$/)
      assert.equal(data.wal_head, place.head())
    },
  },
  {
    command: 'actor rotate-key',
    words: () => [],
    expect: (data) => assert.deepEqual([data.actor_id, data.wal_head], [known.actor, place.head()]),
  },
  { command: 'issue update', words: () => [known.issue, '--title=Crash on start', '--priority=1'] },
  {
    command: 'issue comment',
    words: () => [known.issue, '--body=Seen too'],
    expect(data) {
      known.comment = data.event_id
    },
  },
  {
    command: 'issue comment edit',
    words: () => [known.comment.slice(0, 12), '--body=Seen here'],
    expect: (data) => assert.deepEqual([data.action, data.comment_id], ['edited', known.comment]),
  },
  { command: 'issue comment hide', words: () => [known.comment] },
  { command: 'issue comment unhide', words: () => [known.comment] },
  { command: 'issue label add', words: () => [known.issue, '--label=ui'] },
  { command: 'issue label remove', words: () => [known.issue, '--label=ui'] },
  { command: 'issue assignee add', words: () => [known.issue, '--user=bo'] },
  { command: 'issue assignee remove', words: () => [known.issue, '--user=bo'] },
  { command: 'issue link add', words: () => [known.issue, '--url=https://example.org', '--note=same'] },
  { command: 'issue attachment add', words: () => [known.issue, '--file=crash.log'] },
  { command: 'issue attachment list', words: () => [known.issue], expect: (data) => assert.equal(data.total, 1) },
  { command: 'issue attachment get', words: () => [known.issue, 'crash.log', '--output=out.log'] },
  {
    command: 'issue dep add',
    words: () => [known.parent, `--target=${known.issue}`],
    expect: (data) =>
      assert.deepEqual([data.action, data.dep_type, data.target_title], ['added', 'depends_on', 'Crash on start']),
  },
  {
    command: 'issue dep list',
    words: () => [known.issue, '--reverse'],
    expect: (data) => assert.deepEqual([data.direction, data.deps[0].issue_id], ['dependents', known.parent]),
  },
  {
    command: 'issue dep topo',
    words: () => ['--state=open'],
    expect: (data) =>
      assert.deepEqual(
        data.issues.map((issue: Json) => issue.issue_id),
        [known.issue, known.parent],
      ),
  },
  { command: 'issue dep graph', words: () => ['--parents'], expect: (data) => assert.equal(data.tree.length, 2) },
  {
    command: 'blocked',
    words: () => [],
    expect: (data) =>
      assert.deepEqual(
        data.issues[0].blockers.map((issue: Json) => issue.issue_id),
        [known.issue],
      ),
  },
  {
    command: 'board',
    words: () => ['--limit=1'],
    expect: (data) => assert.deepEqual([data.total, data.columns[0].issues.length], [2, 1]),
  },
  { command: 'ready', words: () => ['--assignee=ann'], expect: (data) => assert.equal(data.total, 1) },
  {
    command: 'issue dep remove',
    words: () => [known.parent, `--target=${known.issue}`],
    expect: (data) =>
      assert.deepEqual(data.stored_as, { issue_id: known.parent, dep_type: 'depends_on', target: known.issue }),
  },
  {
    command: 'issue show',
    words: () => [known.parent],
    expect: (data) => assert.deepEqual(data.issue.progress, { closed: 0, total: 1 }),
  },
  {
    command: 'issue close',
    words: () => [known.issue, '--lock', '--claim-next'],
    expect: (data) => assert.deepEqual([data.state, data.claimed.issue_id], ['closed', known.parent]),
  },
  {
    command: 'changelog',
    words: () => ['--since=2020-01-01'],
    expect: (data) => assert.deepEqual([data.since.kind, data.total], ['time', 1]),
  },
  {
    command: 'issue claim',
    words: () => [known.parent, '--renew'],
    expect: (data) => assert.equal(data.outcome, 'renewed'),
  },
  {
    command: 'lock status',
    words: () => [],
    expect: (data) => assert.deepEqual([data.total, data.malformed], [2, []]),
  },
  { command: 'issue unclaim', words: () => [known.parent], expect: (data) => assert.equal(data.released, true) },
  { command: 'lock acquire', words: () => ['--resource', 'path:src', '--ttl', '15m'] },
  {
    command: 'lock renew',
    words: () => ['path:src', '--ttl=60'],
    expect: (data) => assert.equal(data.ttl_seconds, 60),
  },
  { command: 'lock release', words: () => ['path:src'], expect: (data) => assert.equal(data.released, true) },
  { command: 'lock gc', words: () => [], expect: (data) => assert.deepEqual([data.removed, data.kept], [3, 0]) },
  { command: 'issue reopen', words: () => [known.issue], expect: (data) => assert.equal(data.state, 'open') },
  {
    command: 'sync',
    words() {
      place.git(place.dir, 'init', '-q', '--bare', 'origin.git')
      return ['--remote', '../origin.git']
    },
    expect(data) {
      assert.equal(data.push_success, true)
      assert.equal(data.remote_wal_head, place.head())
    },
  },
  {
    command: 'config set',
    words: () => ['lock_policy', 'require'],
    expect: (data) => assert.deepEqual([data.value, data.replaced], ['require', null]),
  },
  { command: 'config get', words: () => ['lock_policy'], expect: (data) => assert.equal(data.origin, 'clone') },
  {
    command: 'config unset',
    words: () => ['lock_policy'],
    expect: (data) => assert.deepEqual([data.value, data.replaced], ['warn', 'require']),
  },
  { command: 'config list', words: () => [], expect: (data) => assert.equal(data.settings[1].value, 'warn') },
  {
    command: 'undo',
    words: () => [],
    expect: (data) => assert.equal(data.commands[0].changes[0].new, 'closed'),
  },
  { command: 'redo', words: () => [], expect: (data) => assert.equal(data.commands[0].changes[0].new, 'open') },
  {
    command: 'issue history',
    words: () => [known.issue, '--limit=3'],
    expect: (data) => assert.deepEqual([data.entries.length, data.entries[2].old], [3, 'closed']),
  },
  {
    command: 'batch',
    words: () => [],
    stdin: '{"op":"create","title":"A","as":"a"}\n{"op":"comment","issue":"@a","body":"b"}\n',
    expect: (data) => assert.deepEqual([data.total, data.results[1].line], [2, 2]),
  },
  {
    command: 'import',
    words: () => ['tracker.jsonl'],
    status: 1,
    expect: (data) =>
      assert.deepEqual(
        [data.created, data.malformed, data.errors[0].line, data.waiting_edges[0].depends_on],
        [2, 1, 3, 'bd-0'],
      ),
  },
  {
    command: 'issue list',
    words: () => [],
    expect: (data) => assert.deepEqual([data.total, data.open_count, data.closed_count], [5, 5, 0]),
  },
  {
    command: 'search',
    words: () => ['label:bug', '-label:ui', 'CRASH'],
    expect: (data) => assert.deepEqual([data.total, data.query], [1, 'label:bug -label:ui CRASH']),
  },
  { command: 'query save', words: () => ['bugs', 'label:bug'], expect: (data) => assert.equal(data.replaced, null) },
  { command: 'query list', words: () => [], expect: (data) => assert.equal(data.queries[0].name, 'bugs') },
  {
    command: 'query run',
    words: () => ['bugs', '--exit-status'],
    status: 1,
    expect: (data) => assert.deepEqual([data.total, data.name], [1, 'bugs']),
  },
  { command: 'query remove', words: () => ['bugs'], expect: (data) => assert.equal(data.query, 'label:bug') },
  {
    command: 'issue show',
    words: () => [known.issue.slice(0, 8)],
    expect(data) {
      assert.equal(data.issue.parent_issue.issue_id, known.parent)
      assert.equal(data.issue.signatures.valid, data.events.length)
    },
  },
  {
    command: 'issue show',
    words: () => ['bd-2', '--no-events'],
    expect: (data) => assert.deepEqual([data.events, data.issue.title], [undefined, 'Older']),
  },
  { command: 'issue show', words: () => ['bd-1'], expect: (data) => assert.equal(data.issue.original_id, 'bd-1') },
  { command: 'export', words: () => ['--format=json'], expect: (data) => assert.equal(data.content.issues.length, 5) },
  {
    command: 'export',
    words: () => ['--format=csv', '--output=all.csv'],
    expect: (data) => assert.equal(data.output_path, join(place.path, 'all.csv')),
  },
  {
    command: 'remember',
    words: () => ['Seen on Linux only', '--about', known.issue],
    expect: (data) => assert.deepEqual([data.key, data.about], ['seen-on-linux-only', known.issue]),
  },
  {
    command: 'recall',
    words: () => ['linux', 'SEEN'],
    expect: (data) => assert.equal(data.memories[0].about_issue.issue_id, known.issue),
  },
  {
    command: 'context index',
    words() {
      writeFileSync(join(place.path, 'lib.rs'), 'pub fn parse() {}\nstruct Parser;\n')
      place.git(place.path, 'add', 'lib.rs')
      return []
    },
    expect: (data) => assert.deepEqual([data.indexed, data.total_files], [1, data.skipped + 1]),
  },
  {
    command: 'context query',
    words: () => ['PARSE', '--substring'],
    expect: (data) => assert.deepEqual([data.count, data.matches[0].symbol], [2, 'parse']),
  },
  { command: 'context show', words: () => ['lib.rs'], expect: (data) => assert.equal(data.symbol_count, 2) },
  {
    command: 'context stale',
    words() {
      writeFileSync(join(place.path, 'lib.rs'), 'changed')
      return []
    },
    status: 1,
    expect: (data) => assert.deepEqual([data.files[0].path, data.files[0].state], ['lib.rs', 'changed']),
  },
  { command: 'context set', words: () => ['build', 'make'], expect: (data) => assert.equal(data.outcome, 'changed') },
  { command: 'context project', words: () => [], expect: (data) => assert.equal(data.entries[0].value, 'make') },
  { command: 'context project', words: () => ['build'], expect: (data) => assert.equal(data.value, 'make') },
  { command: 'context unset', words: () => ['build'], expect: (data) => assert.equal(data.replaced, 'make') },
  {
    command: 'prime',
    words() {
      place.data('issue', 'assignee', 'add', known.parent, '--user=ci')
      return ['--budget=4000']
    },
    expect: (data) => assert.deepEqual([data.estimated_tokens <= 4000, data.mine.length], [true, 1]),
  },
  { command: 'forget', words: () => ['seen-on-linux-only'], expect: (data) => assert.equal(data.outcome, 'changed') },
  { command: 'snapshot', words: () => [], expect: (data) => assert.equal(data.wal_head, place.head()) },
  { command: 'snapshot create', words: () => ['--local'], expect: (data) => assert.equal(data.orphan_count, 0) },
  { command: 'snapshot list', words: () => [], expect: (data) => assert.equal(data.total, 2) },
  { command: 'snapshot gc', words: () => ['--keep=1'], expect: (data) => assert.equal(data.deleted, 1) },
  {
    command: 'rebuild',
    words: () => ['--from-snapshot'],
    expect: (data) => assert.match(data.from_snapshot, /^refs\/grite\/snapshots\/\d+$/),
  },
  { command: 'rebuild', words: () => [], expect: (data) => assert.equal(data.wal_head, place.head()) },
  { command: 'stream create', words: () => ['build/42', '--label=kind=trace', '--reason=plan'] },
  {
    command: 'stream append',
    words: () => ['build/42', 'one', '-k', 'log', '--header=a=1'],
    expect: (data) => assert.deepEqual([data.stream, data.offset, data.level], ['build/42', 0, 'local']),
  },
  {
    command: 'produce',
    words: () => ['build/42'],
    stdin: 'two\nthree\n',
    expect: (data) => assert.deepEqual([data.records, data.first_offset, data.next_offset], [2, 1, 3]),
  },
  { command: 'stream show', words: () => ['build/42'], expect: (data) => assert.equal(data.unsealed_records, 3) },
  { command: 'stream branch', words: () => ['build/42-retry', 'build/42@1'] },
  { command: 'stream append', words: () => ['build/42-retry', 'own'] },
  { command: 'stream read', words: () => ['build/42-retry'], expect: (data) => assert.equal(data.next_offset, 3) },
  { command: 'stream seal', words: () => ['build/42-retry'], expect: (data) => assert.equal(data.records, 1) },
  { command: 'stream list', words: () => [], expect: (data) => assert.equal(data.total, 2) },
  { command: 'stream lineage', words: () => ['build/42-retry'] },
  { command: 'stream lineage', words: () => ['build/42'] },
  { command: 'stream graph', words: () => [], expect: (data) => assert.equal(data.edges.length, 1) },
  {
    command: 'stream diff',
    words: () => ['build/42-retry', 'build/42'],
    expect: (data) => assert.deepEqual([data.common.offset, data.left.count, data.right.count], [1, 1, 1]),
  },
  {
    command: 'stream fetch',
    words() {
      place.git(place.path, 'push', '-q', '../origin.git', 'refs/grite/streams/*:refs/grite/streams/*')
      return ['--all', '--remote', '../origin.git']
    },
    expect: (data) => assert.deepEqual([data.streams.length, data.streams[0].outcome], [2, 'unchanged']),
  },
  {
    command: 'stream publish',
    words: () => ['--remote', '../origin.git'],
    expect: (data) => assert.deepEqual([data.streams.length, data.streams[0].outcome], [2, 'unchanged']),
  },
  {
    command: 'stream probe',
    words: () => ['--remote', '../origin.git'],
    expect: (data) => assert.deepEqual([data.able, data.checks.length], [true, 7]),
  },
  {
    command: 'stream export',
    words: () => ['../streams.bundle'],
    expect: (data) => assert.deepEqual([data.streams.length, data.streams[0].next_offset], [2, 3]),
  },
  {
    command: 'stream import',
    words: () => ['../streams.bundle'],
    expect: (data) => assert.deepEqual([data.streams.length, data.streams[0].outcome], [2, 'unchanged']),
  },
  {
    command: 'export',
    words: () => ['--streams'],
    expect(data) {
      assert.deepEqual([data.format, data.output_path, data.streams.length], ['bundle', null, 2])
      assert.match(Buffer.from(data.content, 'base64').toString('latin1'), /^# v[23] git bundle\n/)
    },
  },
  {
    command: 'import',
    words: () => ['../streams.bundle', '--dry-run'],
    expect: (data) => assert.deepEqual([data.format, data.streams[0].outcome], ['bundle', 'unchanged']),
  },
  {
    command: 'sync',
    words: () => ['--streams', '--remote', '../origin.git'],
    expect: (data) => assert.equal(data.streams.published.length, 2),
  },
  {
    command: 'stream follow',
    words: () => ['build/42'],
    expect: (data) => assert.deepEqual(data.follow, ['build/42']),
  },
  { command: 'stream unfollow', words: () => ['build/42'], expect: (data) => assert.deepEqual(data.follow, []) },
  {
    command: 'stream rescue',
    words: () => ['build/42', '--remote', '../origin.git'],
    expect: (data) => assert.equal(data.outcome, 'unchanged'),
  },
  { command: 'stream cursor create', words: () => ['build/42', 'reader'] },
  { command: 'stream cursor advance', words: () => ['build/42', 'reader', '1'] },
  { command: 'stream cursor ack', words: () => ['build/42', 'reader', '1'] },
  { command: 'stream cursor get', words: () => ['build/42', 'reader'], expect: (data) => assert.equal(data.behind, 1) },
  { command: 'stream cursor list', words: () => [], expect: (data) => assert.equal(data.total, 1) },
  { command: 'stream cursor delete', words: () => ['build/42', 'reader'] },
  {
    command: 'db stats',
    words: () => [],
    expect(data) {
      assert.equal(data.issue_count, 5)
      assert.ok(whyGitLacks('rev-list --disk-usage') ? data.log_bytes === null : data.log_bytes > 0)
      assert.ok(data.loose_objects > 0 && data.view_bytes === data.size_bytes)
    },
  },
  { command: 'db check', words: () => ['--verify-parents'], expect: (data) => assert.equal(data.corrupt_count, 0) },
  {
    command: 'doctor',
    words: () => ['--fix'],
    expect: (data) =>
      assert.deepEqual(
        data.checks.filter(({ status }: Json) => status !== 'ok'),
        [],
      ),
  },
  { command: 'db verify', words: () => [], expect: (data) => assert.equal(data.error_count, 0) },
  {
    command: 'schema',
    words: () => ['issue', 'dep'],
    expect: (data) => assert.equal(data.schemas.length, 5),
  },
  {
    command: 'stream merge',
    words() {
      place.data('stream', 'create', 'acts')
      place.data('stream', 'append', 'acts', 'one')
      place.data('stream', 'branch', 'acts-retry', 'acts')
      place.data('stream', 'append', 'acts-retry', 'two')
      return ['acts', 'acts-retry', '--policy=fast-forward', '--reason=won']
    },
    expect: (data) => assert.deepEqual([data.first_offset, data.records], [1, 1]),
  },
  { command: 'stream checkpoint create', words: () => ['acts', '--kind=final'] },
  { command: 'stream checkpoint list', words: () => ['acts'] },
  {
    command: 'stream checkpoint verify',
    words: () => ['acts'],
    expect: (data) => assert.equal(data.wrong_count, 0),
  },
  { command: 'stream proof', words: () => ['acts', '1'], expect: (data) => assert.equal(data.steps.length, 2) },
  {
    command: 'stream verify-proof',
    words: () => ['-'],
    stdin: '{}',
    status: 1,
    expect: (data) => assert.equal(data.valid, false),
  },
  {
    command: 'stream verify',
    words: () => ['acts', 'acts-retry'],
    expect: (data) => assert.deepEqual([data.streams.length, data.problem_count], [2, 0]),
  },
  { command: 'stream takeover', words: () => ['acts'], expect: (data) => assert.equal(data.outcome, 'unchanged') },
  {
    command: 'stream retain',
    words: () => ['acts', '--max-count=1'],
    expect: (data) => assert.deepEqual([data.dropped, data.oldest_offset], [1, 1]),
  },
  { command: 'stream delete', words: () => ['acts-retry'], expect: (data) => assert.equal(data.state, 'deleted') },
  {
    command: 'stream purge',
    words: () => ['acts-retry', '--despite-dependants'],
    expect: (data) => assert.equal(data.removed.length, 1),
  },
  { command: 'completion', words: () => ['bash'] },
  { command: 'daemon start', words: () => [], expect: (data) => assert.equal(data.started, !isTwin) },
  { command: 'daemon status', words: () => [], expect: (data) => assert.equal(data.running, true) },
  { command: 'daemon logs', words: () => [] },
  { command: 'daemon stop', words: () => [], expect: (data) => assert.equal(data.stopped, true) },
]

const seen = new Set<string>()
const commands = buildCommandTable(commandLineCommands)

/** Returns the input that a command line gives its command, as JSON. */
async function inputOf(line: readonly string[]): Promise<unknown> {
  const { request } = await parseArgv(line, commands)
  return request.kind === 'run' ? JSON.parse(JSON.stringify(request.input)) : assert.fail(request.kind)
}

for (const { command, words, status = 0, stdin, expect } of rows) {
  test(`${command} --json prints exactly the keys of its contract`, async () => {
    const line = [...command.split(' '), ...words()]
    const { griteWith } = command.startsWith('daemon ') ? processes : place
    const outcome = griteWith({ ...(stdin === undefined ? {} : { stdin }) }, ...line, '--json')
    assert.equal(outcome.stderr, '')
    assert.equal(outcome.status, status)
    const envelope = JSON.parse(outcome.stdout)
    assert.deepEqual(Object.keys(envelope), ['schema_version', 'ok', 'data'])
    assert.equal(envelope.schema_version, 1)
    assert.equal(envelope.ok, true)
    const table = jsonContract[command]
    assert.ok(table !== undefined, 'the contract lists this command')
    assert.deepEqual(keyFaults(table, envelope.data), [])
    assert.deepEqual(schemaFaults(command, 'data', envelope.data), [])
    assert.deepEqual(schemaFaults(command, 'input', await inputOf(line)), [])
    for (const place of Object.keys(table))
      if (objectsAt(envelope.data, place).length > 0) seen.add(`${command} ${place}`)
    expect?.(envelope.data)
  })
}

test('the contract lists exactly the existing commands', () => {
  const names = commandLineCommands.map(({ name }) => name)
  assert.deepEqual(Object.keys(jsonContract).sort(), names.sort())
})

test('schemas exist for exactly the commands of the contract', () => {
  assert.deepEqual(Object.keys(schemaOfCommand).sort(), Object.keys(jsonContract).sort())
})

test('the rows produce every object of the contract', () => {
  const listed = Object.entries(jsonContract).flatMap(([command, table]) =>
    Object.keys(table).map((place) => `${command} ${place}`),
  )
  // Provoked elsewhere: an editor in terminal.test.ts, damage in damage.test.ts, lock damage and remote refusals in test/tracker/locks, a rescue in
  // test/commands/stream, the feeds in watch.test.ts and record-streams.test.ts, the server of MCP in test/mcp, the launcher in test/native.
  const locks = ['lock gc refused[]', 'lock status conflicts[]', 'lock status malformed[]']
  const elsewhere = [
    'db check errors[]',
    'db check gaps[]',
    'db verify card_problems[]',
    'db verify errors[]',
    'issue edit data',
    'watch data',
    'stream tail data',
    'stream fetch cursors[]',
    'stream rescue rescues[]',
    'sync streams.cursors[]',
    'sync streams.refused[]',
    'stream rescue rescues[].after',
    'stream rescue rescues[].before',
    'consume data',
    'mcp data',
    'daemon install-launcher data',
    ...locks,
  ]
  assert.deepEqual(listed.filter((place) => !seen.has(place)).sort(), elsewhere.sort())
})

test('closing several issues returns a list and writes one commit', () => {
  const before = Number(place.git(place.path, 'rev-list', '--count', 'refs/grite/wal'))
  const data = place.data('issue', 'close', known.issue, known.parent)
  assert.deepEqual(schemaFaults('issue close', 'data', data), [])
  assert.deepEqual(
    data.results.map((change: Json) => [change.issue_id, change.outcome]),
    [
      [known.issue, 'changed'],
      [known.parent, 'changed'],
    ],
  )
  assert.equal(Number(place.git(place.path, 'rev-list', '--count', 'refs/grite/wal')), before + 1)
})

test('a write without effect adds no commit', () => {
  const id = place.create('Same', '--label=bug', '--assignee=ann', '--priority=P2')
  const head = place.head()
  const unchanged = [
    ['update', id, '--title=Same'],
    ['update', id, '--priority=2'],
    ['update', id, '--due='],
    ['reopen', id],
    ['label', 'add', id, '--label=bug'],
    ['label', 'add', id, '--label=priority:P2'],
    ['label', 'remove', id, '--label=absent'],
    ['assignee', 'add', id, '--user=ann'],
    ['assignee', 'remove', id, '--user=nobody'],
  ]
  for (const words of unchanged) {
    const data = place.data('issue', ...words)
    assert.deepEqual([data.event_id, data.event_ids, data.outcome], [null, [], 'unchanged'], words.join(' '))
  }
  assert.equal(place.head(), head)
})

test('git fsck finds no fault after every command', () => {
  assert.equal(place.git(place.path, 'fsck', '--strict', '--no-dangling'), '')
})
