/** docs/json.md: every key of every `--json` document, from the schemas. */
import { readFileSync } from 'node:fs'

const schemas = JSON.parse(readFileSync(new URL('../src/commands/schemas.json', import.meta.url), 'utf8'))

const introduction = `# JSON output

Generated from the JSON Schemas of the commands by \`npm run docs\`; do not edit. \`grite schema <command>\` prints the schemas themselves.

## What differs from the text

Every command accepts \`--json\`, and exits with the same status with and without it. One default differs, and then the output:

- **\`grite issue list\` lists issues in all states with \`--json\`, in order of creation, and only open ones as text, newest change first.** A script
  that counts keeps its meaning. \`--state\` and \`--sort\` decide in both forms.
- Nothing is shortened. Text has short ids, tables that fit the terminal, and the first lines of long texts; JSON has full ids and texts, and
  data that text leaves out, such as all events of \`grite issue show\`. A limit that you give applies to both.
- Times are milliseconds since the Unix epoch, UTC. Text has relative times on a terminal, and dates elsewhere.
- Texts are as they were written. Text output escapes control characters and other invisible ones; JSON escapes them (as \`\\uXXXX\`, the same
  document) only on a terminal. Texts are written by others: treat them as data.
- Warnings are in the document, as \`warnings\`. In text they are lines on standard error, which \`--quiet\` hides; \`--quiet\` does
  not change JSON.
- It is never paged or coloured.
- It is one line, unless standard output is a terminal. \`--pretty\` indents it anywhere, \`--no-pretty\` never.
- \`grite prime\` fits its budget with the whole document. \`grite export\` prints the export as \`content\`; with \`--output\` it is in the file.

## The document

A success is one document on standard output, and a failure is one on standard error; the other one stays empty.

\`\`\`json
{ "schema_version": 1, "ok": true, "data": { "issues": [], "total": 0 } }
{ "schema_version": 1, "ok": false, "error": { "code": "not_found", "message": "not found: no issue has the id 'beef'", "details": { "field": "issue id", "value": "beef" } } }
\`\`\`

| key | type | meaning |
| --- | --- | --- |
| \`schema_version\` | \`1\` | changes only if keys are removed or change their meaning; new ones may appear at any time |
| \`ok\` | boolean | whether the command succeeded, at least in part: the exit status is then 0, or 1 for a partial success |
| \`data\` | object | the answer: the tables below |
| \`error.code\` | string | stable; [errors](errors.md) lists the codes with their exit status |
| \`error.message\` | string | for people; may change |
| \`error.details\` | object | optional: \`field\` and \`value\` of a wrong input, ids, counts; \`suggestions\` for the next step |
| \`warnings[]\` | list | optional: \`code\`, \`message\` and perhaps \`details\` each |

A feed (\`grite watch\`) prints one item a line instead, without an envelope, and its warnings as lines \`{"schema_version":1,"warning":{…}}\` on
standard error.

## Keys of each command

\`[]\` is each element of a list, \`*\` each key of an object with any keys, and \`?\` marks a key that may be absent. A command that changes several
issues at once has the keys of each change in \`results[]\`, otherwise in \`data\` itself.`

/** Keys with one meaning in all commands, for schemas without a description. */
const meanings = {
  about_issue: 'the issue that it is about; null for anything else',
  actors: 'the actors',
  applied: 'ids of the checks that were fixed',
  attachment_count: 'number of attachments',
  backfilled: 'always 0',
  blockers: 'open issues that come first',
  bytes: 'size in bytes',
  card_problem_count: 'number of actor cards with a problem',
  card_problems: 'actor cards with a problem',
  changes: 'what was before and is now',
  chunk_count: 'number of chunks',
  claim_failed: 'the claim failed; a warning says why',
  collected: 'number of ended leases that were deleted',
  commit: 'id of the commit',
  conflicts: 'locks that exclude the given resource',
  content: 'the export, if it goes to standard output',
  corrupt_count: 'number of damaged commits and events',
  counts: 'numbers of issues',
  default_actor: 'id of the default actor',
  depth: 'distance from the root',
  error: 'what is wrong',
  events: 'events, or their number',
  events_rebased: 'number of own events that were appended again, on top of those of the remote',
  events_since_rebuild: 'number of events since the view was rebuilt',
  events_valid: 'number of events without a problem',
  expired_pruned: 'same as `removed`',
  for: 'the tool',
  from: 'id of the issue that the edge starts from',
  gap_count: 'number of parts of the log that this clone lacks',
  gaps: 'parts of the log that this clone lacks',
  id: 'name of the check',
  key: 'the key',
  kept: 'how many were kept',
  last_rebuild_ts: 'when the view was rebuilt; null if never',
  local: 'whether the actor belongs to this clone',
  lock: 'the lock, as published',
  loose_bytes: 'bytes of loose objects, of the whole repository',
  loose_objects: 'number of loose objects, of the whole repository',
  memories: 'the memories',
  meta: 'facts about the export',
  missing_count: 'number of events that lack the signature of their actor',
  object_id: 'id of the git object',
  pack_bytes: 'bytes of packs, of the whole repository',
  pack_count: 'number of packs, of the whole repository',
  pull_events: 'number of new events from the remote',
  pull_wal_head: 'same as `wal_head`',
  pulled: 'whether the log was fetched',
  push_changed: 'whether the remote got anything new',
  push_events_rebased: 'same as `events_rebased`',
  push_rebased: 'same as `rebased`',
  push_success: 'whether the remote accepted the push',
  pushed: 'whether, or how many, were pushed',
  rebased: 'whether own events were appended again, on top of those of the remote',
  rebuild_recommended: 'whether a rebuild is worth while',
  refused: 'what was refused, and why',
  related_to: 'related issues',
  released: 'always true: nobody holds it as this actor any more',
  remote_wal_head: 'head of the log on the remote; null if it has none',
  removed: 'number of deleted locks',
  severity: 'how bad it is',
  sig: 'signature as 128 hex',
  signatures_checked: 'number of checked signatures',
  signatures_valid: 'number of valid signatures',
  snapshot_bytes: 'bytes of snapshots beyond the log',
  stream_count: 'number of record streams, deleted ones included',
  stream_bytes: 'bytes of the sealed records of all streams, with their manifests',
  journal_count: 'number of journals',
  journal_bytes: 'bytes of journals',
  snapshot_count: 'number of snapshots',
  snapshot_ref: 'ref of the snapshot',
  stored: 'whether the content is in the repository',
  success: 'whether nothing was refused',
  superseded_by: 'id of the later event that decides; null for none',
  through: 'types of the edges by which it blocks',
  time_remaining_seconds: 'seconds until the lock expires',
  to: 'id of the issue that the edge leads to',
  unsigned_count: 'number of events without a signature',
  wrong_clock: 'why its times are implausible; null if they are not',
  agents_md_action: 'what happened to AGENTS.md',
  agents_md_path: 'path of AGENTS.md',
  attachments: 'attachments',
  cards: 'actor cards',
  checks: 'one entry for each check',
  columns: 'the keys chosen with --fields',
  command: 'name of the command',
  count: 'how many',
  deleted_refs: 'deleted refs',
  deps: 'edges',
  direction: 'whose edges they are',
  entries: 'changes, oldest first',
  errors: 'one entry for each error',
  format: 'format of the file',
  holder: 'name of the holder, or the actor id',
  hint: 'the next step',
  label: 'name of the actor',
  lease_remote: 'default remote for locks and claims',
  line: 'number of the line',
  links: 'links',
  locks: 'the locks',
  mine: 'issues of the current actor',
  note: 'note of the link',
  op: 'operation of the line',
  order: 'ids in dependency order',
  path: 'path in the file system',
  problem: 'what is wrong; null if nothing is',
  queries: 'the saved queries',
  ready: 'issues that are ready to work on',
  reason: 'why, a fixed word',
  recent: 'issues that were changed last',
  ref: 'name of the ref',
  ref_name: 'name of the ref',
  root: 'id of the issue at the top',
  rounds: 'number of attempts to push',
  schemas: 'one entry for each command',
  script: 'the completion script',
  settings: 'the settings of this clone',
  shell: 'name of the shell',
  snapshots: 'snapshots',
  summary: 'what the command does',
  verdict: 'verdict on the signature',
  action: 'what the command did, a fixed word',
  actor: 'id of the actor that wrote it',
  actor_id: 'id of an actor',
  actor_label: 'name of that actor; null without one',
  assignee: 'the user that the claim assigned',
  assignees: 'users who are assigned',
  author: 'id of the actor that created the issue',
  author_label: 'name of the author; null without one',
  blocked_count: 'number of blocked open issues',
  body: 'the text',
  budget_tokens: 'the budget that was asked for',
  by: 'name of the author, or the start of the actor id',
  children: 'parts of the issue',
  claim: 'who has claimed the issue; null if nobody has',
  claims: 'what the sync did to claims',
  closed_count: 'number of closed issues',
  comment_count: 'number of comments',
  comments: 'comments',
  commit_count: 'number of commits written',
  cycles: 'dependency cycles, as lists of ids',
  data_dir: 'folder of the actor',
  days_since_rebuild: 'days since the view was rebuilt',
  dep_type: '`blocks`, `depends_on` or `related_to`',
  dependencies: 'edges of the issue itself',
  dependents: 'edges of other issues to this one',
  due: 'due date, `YYYY-MM-DD`',
  edges: 'edges of the graph',
  effective: 'whether the change still counts',
  ended: 'why the feed ended',
  error_count: 'number of errors',
  estimated_tokens: 'estimated length of the output',
  event_count: 'number of events',
  event_id: 'id of the event',
  event_ids: 'ids of all events that were written',
  events_checked: 'number of checked events',
  expired: 'whether the lock has expired',
  expires_unix_ms: 'when the lock expires',
  fence: 'number that grows with each holder of the lock',
  field: 'name of the changed field',
  fields: 'fields of the issue, from its labels',
  generated_ts: 'when the output was made',
  in_cycle: 'whether the issue is part of a dependency cycle',
  is_own: 'whether the current actor holds it',
  issue_count: 'number of issues',
  issue_id: 'full id of the issue, 32 hex',
  issues: 'the issues',
  key_scheme: '`ed25519`',
  kind: 'kind of the event or lock',
  labels: 'labels, including those that are fields',
  level: '`local`: for this clone; `remote`: for all clones',
  local_wal_head: 'head of the log of this clone',
  log_bytes: 'bytes of the log',
  message: 'for people; may change',
  milestone: 'name of a milestone',
  mime: 'media type',
  name: 'name',
  new: 'value after the change; null for none',
  next: 'suggested commands',
  nodes: 'issues of the graph',
  nonce: 'identifies one acquisition of the lock',
  not_claimed: 'why no issue was claimed',
  old: 'value before the change; null for none',
  oid: 'id of a git object',
  open_count: 'number of open issues',
  original_id: 'id in the tracker it was imported from',
  outcome: '`unchanged` if there was nothing to do, otherwise what happened',
  overdue: 'whether it is open and its due date has passed',
  owner: 'id of the holding actor',
  owner_label: 'name of the holder; null without one',
  parent_issue: 'the parent; null without one, or if it is not in this clone',
  priority: '`P0` to `P4`, or another word; P0 is the most urgent',
  progress: 'closed parts and all parts',
  public_key: 'public key as 64 hex; null or absent without one',
  query: 'the query, in its normal form',
  removed_assignees: 'assignees of ended claims, which were removed',
  replaced: 'what was there before; null if nothing was',
  remote: 'name of the remote; null for this clone only',
  repo_config: 'path of the configuration of this clone',
  resource: 'resource of the lock, such as `issue:<id>`',
  results: 'one entry for each issue or line',
  sent: 'whether the close was pushed',
  set_aside_count: 'number of open issues set aside by their status',
  sha256: 'SHA-256 of the content',
  short_id: 'shortest unique prefix of the id in this clone',
  signature: 'verdict on the signature',
  signatures: 'number of events by verdict',
  size_bytes: 'bytes of the view',
  state: 'of the issue, null if it is not in this clone; or of the lock',
  taken_count: 'number of open issues that are taken by others',
  target: 'id of the other issue',
  target_short_id: 'short id of the other issue',
  text: 'the text of the memory',
  title: 'title of the issue',
  total: 'how many there are; a limit may show fewer',
  ts_unix_ms: 'time of the event',
  ttl_seconds: 'seconds until the lock expires',
  created_ts: 'when it was created',
  updated_ts: 'when it was last changed',
  unknown_blockers: 'ids of dependencies that are not in this clone and do not block',
  url: 'address of the link',
  users: 'the given users',
  view_bytes: 'bytes of the view',
  wal_head: 'commit at the head of the log; null for an empty log, or when nothing was written',
}

export function formatJsonMarkdown(commands) {
  const parts = [introduction, ...commands.map(({ name }) => formatCommand(name, schemas[name]))]
  return `${parts.join('\n\n')}\n`
}

function formatCommand(name, { summary, data, item }) {
  return [
    `### grite ${name}`,
    `${summary}.`,
    ...(item === undefined
      ? [formatTable(data)]
      : ['Each line:', formatTable(item), 'The result of a library call:', formatTable(data)]),
  ].join('\n\n')
}

function formatTable(schema) {
  const keys = new Map()
  collect(schema, '', true, keys)
  const rows = [...keys].map(([path, { types, meaning, isOptional }]) => {
    const text = meaning === undefined ? (sharedMeaning(path) ?? '') : asClause(meaning)
    return `| \`${path}\`${isOptional ? '?' : ''} | ${formatTypes(types)} | ${escapeCell(text)} |`
  })
  return ['| key | type | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Words of a docstring, without the form of a sentence. */
function asClause(text) {
  const start = /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text
  return start.replace(/\.$/, '')
}

function sharedMeaning(path) {
  const [name, ...outer] = path.replaceAll('[]', '').split('.').reverse()
  if (outer[0] === 'left_out') return 'how many are not shown'
  if (outer[0] === 'counts') return 'number of such issues'
  if (name === 'event_id' && (outer.length === 0 || outer[0] === 'results')) {
    return 'id of the last event that was written; null if there was nothing to change'
  }
  if (name === 'parent') {
    if (/comments|events/.test(path)) return 'the event that it answers; null or absent for none'
    return 'id of the parent issue; null or absent without one'
  }
  if (['type', 'status'].includes(name) && /fields|issues|mine|ready|recent|nodes/.test(path))
    return `word of the label \`${name}:…\``
  // Words that mean something else elsewhere.
  if (outer[0] === 'progress') return name === 'closed' ? 'number of closed parts' : 'number of parts'
  return Object.hasOwn(meanings, name) ? meanings[name] : undefined
}

function formatTypes(types) {
  const words = [...types].filter((type) => type.startsWith('`')).sort()
  const others = [...types]
    .filter((type) => !type.startsWith('`'))
    .sort((left, right) => (left === 'null') - (right === 'null'))
  return [...(words.length === 0 ? [] : [words.join(', ')]), ...others].join(' or ')
}

/** Collects the members of an object, of each variant of a union, and below. */
function collect(schema, path, isSure, keys) {
  const variants = schema.anyOf ?? []
  const objects = variants.filter((each) => each.properties !== undefined)
  for (const each of variants) {
    const isCommon = (key) => objects.every(({ required = [] }) => required.includes(key))
    collectMembers(each, path, (key) => isSure && isCommon(key), keys)
  }
  collectMembers(schema, path, (key) => isSure && (schema.required ?? []).includes(key), keys)
}

function collectMembers(schema, path, isRequired, keys) {
  if (schema.items !== undefined) collect(schema.items, `${path}[]`, true, keys)
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    const full = path === '' ? key : `${path}.${key}`
    const known = keys.get(full) ?? { types: new Set(), meaning: undefined, isOptional: false }
    for (const type of typesOf(member)) known.types.add(type)
    known.meaning ??= member.description
    known.isOptional ||= !isRequired(key)
    keys.set(full, known)
    collect(member, full, true, keys)
  }
  const { additionalProperties: any } = schema
  if (typeof any === 'object' && Object.keys(any).length > 0) collect(any, `${path}.*`, true, keys)
}

function typesOf(schema) {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(typesOf)
  if ('const' in schema) return [`\`${schema.const}\``]
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``)
  if (schema.type === undefined) return ['any']
  if (Array.isArray(schema.type)) return schema.type
  if (schema.type !== 'array') return [schema.type]
  const items = typesOf(schema.items ?? {})
  return [items.length === 1 && !items[0].startsWith('`') ? `list of ${items[0]}s`.replace('anys', 'any') : 'list']
}

/** Bars end a cell, and angle brackets outside of code would be parsed as HTML. */
function escapeCell(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '\\<')))
    .join('')
    .replaceAll('|', '\\|')
}
