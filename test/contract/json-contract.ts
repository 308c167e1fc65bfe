/**
 * The keys of `data` that every command prints with `--json`: the keys of the published format (spec §5.4; the union
 * where its documents and code differ) and the keys that grite adds. A key is never removed or renamed.
 *
 * `key?` may be absent. `results[]` describes each element of a list, `issue` an object.
 */
export type KeyTable = Readonly<Record<string, readonly string[]>>

const issueRow = [
  'issue_id',
  'short_id',
  'title',
  'state',
  'labels',
  'assignees',
  'created_ts',
  'updated_ts',
  'comment_count',
  'fields',
  'author',
  'claim',
]

const issueList = ['issues', 'total', 'open_count', 'closed_count', 'issue_count', 'next_cursor', 'columns?']

const change = ['issue_id', 'short_id', 'title', 'event_id', 'event_ids', 'outcome']
const changedSetting = ['action', 'key', 'value', 'replaced', 'outcome', 'wal_head']
const reversal = {
  data: ['action', 'commands', 'event_id', 'event_ids', 'outcome', 'wal_head'],
  'commands[]': ['event_ids', 'ts_unix_ms', 'actor', 'actor_label', 'changes', 'refused'],
  'commands[].changes[]': ['issue_id', 'short_id', 'title', 'field', 'old', 'new'],
}
const mention = ['issue_id', 'short_id', 'title', 'state']
const publishedLock = ['resource', 'owner', 'nonce', 'expires_unix_ms']
const lockRow = [
  ...['resource', 'owner', 'expires_unix_ms', 'time_remaining_seconds', 'expired'],
  ...['owner_label', 'is_own', 'nonce', 'state', 'level', 'kind', 'remote', 'ref', 'fence', 'claim'],
  ...['title', 'short_id', 'wrong_clock'],
]
const held = [
  ...['resource', 'owner', 'nonce', 'expires_unix_ms', 'ttl_seconds', 'outcome', 'level', 'remote', 'fence', 'lock'],
]
const claim = [
  ...[...change, 'action', 'wal_head', 'assignee', 'removed_assignees'],
  ...['resource', 'owner', 'nonce', 'expires_unix_ms', 'ttl_seconds', 'fence', 'level', 'remote', 'issue?'],
]
const lockPlace = ['level', 'kind', 'remote', 'ref']
const madeSnapshot = [
  'oid',
  'snapshot_ref',
  'created_ts',
  'wal_head',
  'event_count',
  'chunk_count',
  'orphan_count',
  'attachment_count',
  'problem_count',
  'local_wal_head',
]
const daemonStatus = [
  ...['running', 'pid', 'ipc_endpoint', 'repository', 'version', 'protocol', 'started_ts', 'idle_timeout_secs'],
  ...['connections', 'requests', 'requests_total', 'rss_bytes', 'log'],
]
const relation = ['issue_id', 'short_id', 'dep_type', 'title', 'state']
const edgeChange = [
  ...change,
  'action',
  'dep_type',
  'target',
  'target_short_id',
  'target_title',
  'stored_as',
  'wal_head',
]
const storedEdge = ['issue_id', 'dep_type', 'target']

const primeIssue = [
  'issue_id',
  'short_id',
  'title',
  'state',
  'priority',
  'type',
  'due',
  'overdue',
  'updated_ts',
  'claimed_until_ts',
]

const streamPosition = ['stream', 'incarnation', 'offset']
const streamRecord = [
  ...[...streamPosition, 'ts_unix_ms', 'writer', 'key', 'key_base64?', 'content_type', 'headers', 'producer'],
  ...['payload', 'payload_base64?', 'origin'],
]
const streamFacts = [
  ...['stream', 'incarnation', 'generation', 'kind', 'state', 'owner', 'epoch', 'created_ts', 'actor', 'reason'],
  ...['labels', 'retention', 'parents', 'oldest_offset', 'next_offset', 'sealed_offset', 'head', 'root'],
]
const streamParent = ['stream', 'incarnation', 'fork_offset', 'root']
const streamRelative = [
  ...['stream', 'incarnation', 'depth', 'fork_offset', 'parent', 'is_here', 'kind', 'state', 'created_ts', 'actor'],
  ...['reason', 'labels', 'next_offset'],
]
const exportedStream = ['stream', 'incarnation', 'generation', 'head', 'root', 'next_offset']
const clonePosition = ['head', 'incarnation', 'generation', 'epoch', 'next_offset', 'state']
const cursorFacts = [
  ...['stream', 'incarnation', 'cursor', 'offset', 'epoch', 'actor', 'reason', 'labels', 'created_ts', 'updated_ts'],
  'commit',
]
const cursorAct = { data: ['action', 'outcome', ...cursorFacts, 'level'] }
const checkpointFacts = [
  ...[
    'stream',
    'incarnation',
    'generation',
    'commit',
    'kind',
    'created_ts',
    'actor',
    'reason',
    'entries',
    'next_offset',
  ],
  ...['root', 'key'],
]
const streamSide = ['stream', 'incarnation', 'count', 'records']

export const jsonContract: Readonly<Record<string, KeyTable>> = {
  schema: { data: ['schemas'], 'schemas[]': ['command', 'summary', 'input', 'data', 'item?'] },
  init: {
    data: [
      ...['actor_id', 'data_dir', 'repo_config', 'action', 'adopted', 'lease_remote?'],
      ...['agents_md_path?', 'agents_md_action'],
    ],
  },
  prime: {
    data: [
      'budget_tokens',
      'estimated_tokens',
      'generated_ts',
      'wal_head',
      'name',
      'counts',
      'mine',
      'ready',
      'recent',
      'context',
      'memories',
      'left_out',
      'next',
    ],
    counts: ['open', 'closed', 'ready', 'blocked', 'taken', 'overdue'],
    'mine[]': primeIssue,
    'ready[]': primeIssue,
    'recent[]': primeIssue,
    'memories[]': ['key', 'about', 'text'],
    'context[]': ['name', 'text'],
    left_out: ['memories', 'mine', 'ready', 'recent', 'context'],
  },
  remember: {
    data: ['action', 'key', 'text', 'about', 'about_issue', 'replaced', 'event_id', 'outcome', 'wal_head'],
    about_issue: mention,
  },
  recall: {
    data: ['memories', 'total'],
    'memories[]': ['key', 'issue', 'about', 'about_issue', 'text', 'actor', 'actor_label', 'ts_unix_ms'],
    'memories[].about_issue': mention,
  },
  forget: {
    data: ['action', 'key', 'text', 'about', 'about_issue', 'event_id', 'outcome', 'wal_head'],
    about_issue: mention,
  },
  'context index': {
    data: ['indexed', 'skipped', 'total_files', 'unchanged', 'removed', 'left_out', 'wal_head'],
  },
  'context query': {
    data: ['count', 'matches', 'query', 'more'],
    'matches[]': ['path', 'symbol', 'kind', 'line_start', 'line_end', 'language', 'state', 'indexed_ts'],
  },
  'context show': {
    data: [
      ...['content_hash', 'language', 'path', 'summary', 'symbol_count', 'symbols'],
      ...['state', 'indexed_ts', 'actor', 'actor_label'],
    ],
    'symbols[]': ['kind', 'line_end', 'line_start', 'name'],
  },
  'context stale': { data: ['count', 'total_files', 'files'], 'files[]': ['path', 'state', 'indexed_ts'] },
  'context project': {
    data: ['count?', 'entries?', 'key?', 'value?', 'actor?', 'ts_unix_ms?'],
    'entries[]': ['key', 'value', 'actor', 'ts_unix_ms'],
  },
  'context set': { data: ['action', 'key', 'value', 'replaced', 'event_id', 'outcome', 'wal_head'] },
  'context unset': { data: ['action', 'key', 'value', 'replaced', 'event_id', 'outcome', 'wal_head'] },
  'install-skill': { data: ['path', 'action', 'for'] },
  doctor: { data: ['checks', 'applied'], 'checks[]': ['id', 'status', 'message', 'plan?', 'details?'] },
  'actor init': { data: ['actor_id', 'label', 'data_dir', 'public_key?'] },
  'actor list': { data: ['actors'], 'actors[]': ['actor_id', 'label', 'data_dir', 'public_key', 'local'] },
  'actor show': {
    data: ['actor'],
    actor: ['actor_id', 'label', 'created_ts', 'public_key?', 'key_scheme?', 'previous_keys?', 'local'],
  },
  'actor current': { data: ['actor_id', 'label', 'data_dir', 'source'] },
  'actor use': { data: ['default_actor', 'repo_config'] },
  'actor rotate-key': {
    data: ['actor_id', 'label', 'key_scheme', 'public_key', 'previous_key', 'event_id', 'wal_head'],
  },
  'issue create': { data: ['issue_id', 'event_id', 'wal_head', 'title'] },
  'issue list': { data: issueList, 'issues[]': issueRow },
  'issue show': {
    data: ['issue', 'events?', 'columns?'],
    issue: [
      ...issueRow,
      'original_id?',
      'author_label',
      'body',
      'overdue',
      'parent_issue',
      'children',
      'progress',
      'comments',
      'links',
      'attachments',
      'dependencies',
      'dependents',
      'signatures',
    ],
    'issue.parent_issue': mention,
    'issue.children[]': mention,
    'issue.progress': ['closed', 'total'],
    'issue.comments[]': [
      'event_id',
      'actor',
      'actor_label',
      'ts_unix_ms',
      'body',
      'parent',
      'signature',
      'edited_ts',
      'edited_by',
      'edited_by_label',
      'edited_signature',
      'hidden',
    ],
    'issue.signatures': ['valid', 'invalid', 'unsigned', 'missing', 'unknown_key'],
    'issue.links[]': ['event_id', 'url', 'note'],
    'issue.attachments[]': ['event_id', 'name', 'sha256', 'mime'],
    'issue.dependencies[]': relation,
    'issue.dependents[]': relation,
    'events[]': ['event_id', 'issue_id', 'actor', 'ts_unix_ms', 'parent', 'kind', 'actor_label', 'signature'],
  },
  'issue history': {
    data: ['issue_id', 'short_id', 'title', 'entries', 'total', 'next_cursor'],
    'entries[]': [
      'event_id',
      'actor',
      'actor_label',
      'ts_unix_ms',
      'kind',
      'field',
      'comment_id',
      'old',
      'new',
      'effective',
      'superseded_by',
      'part_of',
    ],
  },
  search: { data: [...issueList, 'query'], 'issues[]': issueRow },
  'query save': { data: ['action', 'name', 'query', 'replaced', 'event_id', 'outcome', 'wal_head'] },
  'query list': {
    data: ['queries', 'total'],
    'queries[]': ['name', 'query', 'problem', 'actor', 'actor_label', 'ts_unix_ms'],
  },
  'query run': { data: [...issueList, 'name', 'query'], 'issues[]': issueRow },
  'query remove': { data: ['action', 'name', 'query', 'event_id', 'outcome', 'wal_head'] },
  'config list': { data: ['settings', 'path'], 'settings[]': ['key', 'value', 'origin'] },
  'config get': { data: ['key', 'value', 'origin'] },
  'config set': { data: changedSetting },
  'config unset': { data: changedSetting },
  undo: reversal,
  redo: reversal,
  'issue update': { data: [...change, 'action', 'wal_head'] },
  'issue edit': { data: [...change, 'action', 'wal_head'] },
  'issue comment': { data: [...change, 'action', 'wal_head'] },
  changelog: {
    data: ['since', 'until', 'groups', 'total', 'wal_head'],
    since: ['kind', 'name', 'commit', 'ts_unix_ms'],
    until: ['kind', 'name', 'commit', 'ts_unix_ms'],
    'groups[]': ['type', 'issues'],
    'groups[].issues[]': ['issue_id', 'short_id', 'title', 'type', 'priority', 'labels', 'assignees', 'closed_ts'],
  },
  'issue comment edit': { data: [...change, 'comment_id', 'action', 'wal_head'] },
  'issue comment hide': { data: [...change, 'comment_id', 'action', 'wal_head'] },
  'issue comment unhide': { data: [...change, 'comment_id', 'action', 'wal_head'] },
  'issue close': {
    data: [
      ...change,
      'action',
      'state',
      'wal_head',
      'finished_parents?',
      'claimed?',
      'not_claimed?',
      'claim_failed?',
      'remote?',
      'sent?',
    ],
    'finished_parents[]': mention,
    claimed: claim,
  },
  'issue reopen': { data: [...change, 'action', 'state', 'wal_head'] },
  'issue label add': { data: [...change, 'action', 'labels', 'wal_head'] },
  'issue label remove': { data: [...change, 'action', 'labels', 'wal_head'] },
  'issue assignee add': { data: [...change, 'action', 'users', 'wal_head'] },
  'issue assignee remove': { data: [...change, 'action', 'users', 'wal_head'] },
  'issue link add': { data: [...change, 'action', 'wal_head'] },
  'issue dep add': { data: edgeChange, stored_as: storedEdge },
  'issue dep remove': { data: edgeChange, stored_as: storedEdge },
  'issue dep list': { data: ['deps', 'direction', 'issue_id', 'short_id', 'title', 'state'], 'deps[]': relation },
  'issue dep topo': {
    data: ['issues', 'total', 'order', 'cycles'],
    'issues[]': ['issue_id', 'short_id', 'title', 'state', 'labels', 'fields', 'in_cycle'],
  },
  'issue dep graph': {
    data: ['relation', 'format', 'root', 'nodes', 'edges', 'tree', 'cycles'],
    'nodes[]': [...mention, 'type'],
    'edges[]': ['from', 'to', 'types'],
    'tree[]': ['issue_id', 'depth', 'cut'],
  },
  'issue attachment add': { data: [...change, 'action', 'name', 'sha256', 'mime', 'stored', 'wal_head'] },
  'issue attachment list': {
    data: ['issue_id', 'attachments', 'total'],
    'attachments[]': ['event_id', 'name', 'sha256', 'mime', 'stored'],
  },
  'issue attachment get': { data: ['issue_id', 'name', 'sha256', 'bytes', 'path'] },
  board: {
    data: ['columns', 'total', 'claimed_count', 'limit'],
    'columns[]': ['status', 'issues', 'total'],
    'columns[].issues[]': issueRow,
  },
  ready: {
    data: ['issues', 'total', 'blocked_count', 'taken_count', 'set_aside_count', 'next_cursor'],
    'issues[]': [...issueRow, 'overdue', 'unknown_blockers'],
  },
  blocked: {
    data: ['issues', 'total', 'next_cursor'],
    'issues[]': [...issueRow, 'overdue', 'in_cycle', 'blockers', 'unknown_blockers'],
    'issues[].blockers[]': [...mention, 'through'],
  },
  'issue claim': { data: claim },
  'issue unclaim': {
    data: [...change, ...['action', 'resource', 'released', 'owner', 'fence', 'level', 'remote', 'wal_head']],
  },
  'lock acquire': { data: held, lock: publishedLock },
  'lock renew': { data: held, lock: publishedLock },
  'lock release': { data: ['resource', 'released', 'outcome', 'owner', 'level', 'remote', 'fence'] },
  'lock status': {
    data: ['locks', 'total', 'conflicts', 'malformed'],
    'locks[]': lockRow,
    'conflicts[]': lockRow,
    'malformed[]': [...lockPlace, 'problem'],
  },
  'lock gc': {
    data: ['removed', 'kept', 'expired_pruned', 'level', 'remote', 'refused'],
    'refused[]': ['ref', 'reason'],
  },
  batch: {
    data: ['results', 'total', 'wal_head'],
    'results[]': ['line', 'op', 'issue_id', 'event_id', 'event_ids'],
  },
  export: {
    data: ['format', 'output_path', 'wal_head', 'event_count', 'content?', 'streams?'],
    'streams[]': exportedStream,
  },
  import: {
    data: [
      'format',
      'dry_run',
      'created',
      'updated',
      'unchanged',
      'skipped',
      'duplicate',
      'superseded',
      'malformed',
      'memories?',
      'connected?',
      'waiting_edge_count?',
      'waiting_edges?',
      'event_count',
      'commit_count',
      'errors',
      'wal_head',
      'streams?',
    ],
    'streams[]': ['stream', 'outcome', 'local', 'remote', 'reason'],
    'streams[].local': clonePosition,
    'streams[].remote': clonePosition,
    memories: ['added', 'unchanged', 'superseded'],
    'waiting_edges[]': ['issue_id', 'original_id', 'depends_on', 'type', 'reason'],
    'errors[]': ['line', 'message'],
  },
  snapshot: { data: madeSnapshot },
  'snapshot create': { data: madeSnapshot },
  'snapshot list': {
    data: ['snapshots', 'total'],
    'snapshots[]': ['oid', 'timestamp', 'ref_name', 'event_count', 'chunk_count', 'wal_head', 'verdict', 'problem'],
  },
  'snapshot gc': { data: ['deleted', 'kept', 'remaining', 'deleted_refs', 'owed_remote_deletions'] },
  rebuild: { data: ['wal_head', 'event_count', 'issue_count', 'from_snapshot', 'snapshot_events'] },
  sync: {
    data: [
      'success',
      'remote',
      'pulled',
      'pushed',
      'events',
      'pull_events',
      'wal_head',
      'pull_wal_head',
      'remote_wal_head',
      'push_success',
      'push_changed',
      'rebased',
      'push_rebased',
      'events_rebased',
      'push_events_rebased',
      'backfilled',
      'snapshots',
      'rounds',
      'message',
      'claims',
      'streams?',
    ],
    streams: ['fetched', 'published', 'refused', 'cursors'],
    'streams.fetched[]': ['stream', 'outcome', 'local', 'remote', 'reason'],
    'streams.published[]': ['stream', 'outcome', 'local', 'remote'],
    'streams.refused[]': ['stream', 'reason'],
    'streams.cursors[]': ['stream', 'cursor', 'outcome', 'offset'],
    claims: ['lost', 'renewed', 'released', 'shared', 'collected'],
    snapshots: ['adopted', 'dropped', 'pushed', 'deleted', 'refused'],
  },
  'stream create': { data: ['action', ...streamFacts] },
  'stream list': { data: ['streams', 'total'], 'streams[]': streamFacts, 'streams[].parents[]': streamParent },
  'stream show': {
    data: [
      ...[...streamFacts, 'commit_count', 'entries', 'owner_clone', 'unsealed_records', 'unsealed_bytes', 'journals'],
      ...['damage', 'divergence', 'newest'],
    ],
    'journals[]': ['file', 'first_offset', 'next_offset', 'bytes', 'closed'],
    'newest[]': streamRecord,
  },
  'stream append': {
    data: ['action', 'stream', 'incarnation', 'epoch', 'offset', 'next_offset', 'level', 'repeated'],
  },
  produce: {
    data: [
      ...['action', 'stream', 'incarnation', 'epoch', 'records', 'repeated', 'first_offset', 'next_offset', 'level'],
      'interrupted',
    ],
  },
  'stream read': {
    data: ['stream', 'incarnation', 'records', 'next_offset', 'end_offset'],
    'records[]': streamRecord,
    'records[].origin': streamPosition,
  },
  'stream branch': { data: ['action', ...streamFacts, 'fork_offset', 'first_offset'], 'parents[]': streamParent },
  'stream seal': {
    data: ['action', 'stream', 'incarnation', 'outcome', 'records', 'sealed_offset', 'head', 'commits'],
  },
  'stream lineage': {
    data: [...streamFacts, 'ancestors', 'descendants'],
    'ancestors[]': streamRelative,
    'descendants[]': streamRelative,
  },
  'stream graph': {
    data: ['format', 'nodes', 'edges', 'tree'],
    'nodes[]': ['stream', 'incarnation', 'kind', 'state', 'next_offset'],
    'edges[]': ['from', 'to', 'fork_offset'],
    'tree[]': ['node', 'depth', 'fork_offset', 'cut'],
  },
  'stream diff': {
    data: ['common', 'left', 'right'],
    common: streamPosition,
    left: streamSide,
    'left.records[]': streamRecord,
    right: streamSide,
  },
  'stream merge': {
    data: [
      ...['action', 'stream', 'incarnation', 'policy', 'commit', 'first_offset', 'records', 'next_offset', 'bases'],
      ...['sources', 'rows', 'target'],
    ],
    'bases[]': streamPosition,
    'sources[]': [...streamPosition, 'new_from'],
    'rows[]': ['kind', 'records', 'ranges'],
    'rows[].ranges[]': ['stream', 'from', 'to'],
    target: streamFacts,
  },
  'stream checkpoint create': { data: ['action', ...checkpointFacts] },
  'stream checkpoint list': { data: ['stream', 'checkpoints'], 'checkpoints[]': checkpointFacts },
  'stream checkpoint verify': {
    data: ['stream', 'wrong_count', 'checkpoints'],
    'checkpoints[]': [...checkpointFacts, 'signature', 'key_owner', 'fault'],
  },
  'stream proof': {
    data: ['schema_version', ...streamPosition, 'steps', 'record'],
    'steps[]': [
      ...['stream', 'incarnation', 'kind', 'parents', 'entries', 'entry', 'path', 'peaks', 'row?', 'row_sources?'],
      'root',
    ],
  },
  'stream verify-proof': {
    data: ['valid', ...streamPosition, 'offset_from', 'offset_to', 'root', 'record', 'fault'],
  },
  'stream verify': {
    data: ['problem_count', 'streams', 'problems'],
    'streams[]': [
      ...['stream', 'generation', 'head', 'root', 'commits', 'records', 'unsealed_records', 'problem_count'],
    ],
  },
  'stream takeover': { data: ['action', 'outcome', 'previous_epoch', ...streamFacts] },
  'stream retain': {
    data: ['action', 'outcome', 'dropped', 'commits_before', 'commits_after', 'not_compacted', ...streamFacts],
  },
  'stream delete': { data: ['action', ...streamFacts] },
  'stream purge': {
    data: ['action', 'stream', 'generations', 'dependants', 'removed'],
    'generations[]': ['ref', 'generation', 'head'],
    'dependants[]': ['kind', 'name'],
  },
  'stream publish': {
    data: ['action', 'remote', 'dry_run', 'atomic', 'streams', 'alongside'],
    'streams[]': ['stream', 'outcome', 'local', 'remote', 'unsealed_records'],
    'streams[].local': clonePosition,
    'streams[].remote': clonePosition,
  },
  'stream fetch': {
    data: ['action', 'remote', 'streams', 'cursors', 'missing'],
    'cursors[]': ['stream', 'cursor', 'outcome', 'offset'],
    'streams[]': ['stream', 'outcome', 'local', 'remote', 'reason'],
    'streams[].local': clonePosition,
    'streams[].remote': clonePosition,
  },
  'stream export': {
    data: ['action', 'path', 'streams', 'content?'],
    'streams[]': exportedStream,
  },
  'stream import': {
    data: ['action', 'path', 'streams'],
    'streams[]': ['stream', 'outcome', 'local', 'remote', 'reason'],
    'streams[].local': clonePosition,
    'streams[].remote': clonePosition,
  },
  'stream follow': { data: ['outcome', 'follow'] },
  'stream unfollow': { data: ['outcome', 'follow'] },
  'stream rescue': {
    data: ['action', 'stream', 'outcome', 'rescues'],
    'rescues[]': ['branch', 'from_offset', 'records', 'before', 'after'],
    'rescues[].before': clonePosition,
    'rescues[].after': clonePosition,
  },
  'stream probe': {
    data: ['remote', 'able', 'checks'],
    'checks[]': ['where', 'check', 'outcome', 'essential', 'reason'],
  },
  'stream cursor create': cursorAct,
  'stream cursor get': { data: [...cursorFacts, 'next_offset', 'behind'] },
  'stream cursor list': { data: ['cursors', 'total'], 'cursors[]': cursorFacts },
  'stream cursor advance': cursorAct,
  'stream cursor ack': cursorAct,
  'stream cursor delete': cursorAct,
  // The keys of each line: these are feeds.
  'stream tail': { data: streamRecord },
  consume: { data: streamRecord },
  watch: {
    data: [
      'event_id',
      'issue_id',
      'short_id',
      'title',
      'state',
      'actor',
      'actor_label',
      'ts_unix_ms',
      'kind',
      'wal_head',
    ],
  },
  'db stats': {
    data: [
      'path',
      'size_bytes',
      'event_count',
      'issue_count',
      'last_rebuild_ts',
      'events_since_rebuild',
      'days_since_rebuild',
      'rebuild_recommended',
      'wal_head',
      'view_bytes',
      'log_bytes',
      'snapshot_count',
      'snapshot_bytes',
      'stream_count',
      'stream_bytes',
      'journal_count',
      'journal_bytes',
      'unsealed_records',
      'loose_objects',
      'loose_bytes',
      'pack_count',
      'pack_bytes',
    ],
  },
  'db check': {
    data: ['events_checked', 'events_valid', 'corrupt_count', 'error_count', 'errors', 'gap_count', 'gaps', 'wal_head'],
    'gaps[]': ['reason', 'kind', 'object_id', 'commit'],
    'errors[]': ['event_id', 'issue_id', 'commit', 'object_id', 'severity', 'error'],
  },
  'db verify': {
    data: [
      'events_checked',
      'signatures_checked',
      'signatures_valid',
      'unsigned_count',
      'missing_count',
      'error_count',
      'errors',
      'card_problem_count',
      'card_problems',
    ],
    'errors[]': ['event_id', 'actor_id', 'verdict', 'error'],
    'card_problems[]': ['actor', 'event_id', 'reason'],
  },
  mcp: { data: ['ended'] },
  completion: { data: ['shell', 'script'] },
  'daemon start': {
    data: ['started', 'pid', 'endpoint', 'idle_timeout_secs', 'repository', 'log', 'reason', 'ended'],
  },
  'daemon stop': { data: ['stopped', 'pid', 'reason'] },
  'daemon status': { data: daemonStatus },
  'daemon logs': { data: ['path', 'lines'], 'lines[]': ['time', 'level', 'pid', 'message', 'facts'] },
  'daemon install-launcher': { data: ['path', 'target', 'outcome'] },
}

/** The keys of an answer about several issues, in place of those of one change. */
export const severalIssues = { several: ['results', 'wal_head'], 'results[]': change } as const

/** Lists the differences between `data` and a table; empty when there are none. */
export function keyFaults(table: KeyTable, data: unknown): string[] {
  return Object.entries(table).flatMap(([place, keys]) =>
    objectsAt(data, place).flatMap((object) => {
      const allowed = keys.map((key) => key.replace('?', ''))
      const missing = keys.filter((key) => !key.endsWith('?') && !Object.hasOwn(object, key))
      const unknown = Object.keys(object).filter((key) => !allowed.includes(key))
      return [...missing.map((key) => `${place}: no ${key}`), ...unknown.map((key) => `${place}: unlisted ${key}`)]
    }),
  )
}

/** Returns the objects at a place such as `issue.comments[]`; `data` is the root. */
export function objectsAt(data: unknown, place: string): object[] {
  let found: unknown[] = [data]
  for (const step of place === 'data' ? [] : place.split('.')) {
    const name = step.replace('[]', '')
    const next = found.map((object) => (object as Record<string, unknown> | null | undefined)?.[name])
    found = step.endsWith('[]') ? next.flat() : next
  }
  return found.filter((item): item is object => typeof item === 'object' && item !== null)
}
