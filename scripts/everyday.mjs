// The commands whose start counts most. Their modules are in the hot and the warm script, those of a sync in scripts of their
// own, with compiled code for each command.

/** Full names; the loader knows their other spellings. */
export const everydayCommands = [
  'issue create',
  'issue list',
  'issue show',
  'issue comment',
  'issue close',
  'issue reopen',
  'issue update',
  'ready',
  'sync',
]

/** The first write of a repository. */
export const firstLines = [['issue', 'create', '--title', 'First', '--json']]

/** The second write: issues as a repository in use has them, enough for answers that are written in pieces. */
export const manyOperations = Array.from({ length: 400 }, (_, index) => [
  {
    op: 'create',
    as: `i${index}`,
    title: `Issue ${index}`,
    body: 'Text',
    labels: [`area-${index % 9}`],
    priority: `P${index % 4}`,
  },
  ...(index % 10 === 1 ? [{ op: 'dep_add', issue: `@i${index}`, target: `@i${index - 1}`, type: 'depends_on' }] : []),
  ...(index % 10 === 2 ? [{ op: 'close', issue: `@i${index}` }] : []),
]).flat()

/**
 * Lines that run each everyday command in a repository with the issue `ID`.
 *
 * @type {Readonly<Record<string, readonly (readonly string[])[]>>}
 */
export const writingLines = {
  'issue create': [
    ['issue', 'create', '--title', 'Second', '--body', 'Text', '--label', 'bug', '--json'],
    ['issue', 'create', '--title', 'Third'],
  ],
  'issue comment': [
    ['issue', 'comment', 'ID', '--body', 'More', '--json'],
    ['issue', 'comment', 'ID', '--body', 'More'],
  ],
  'issue close': [
    ['issue', 'close', 'ID', '--json'],
    ['issue', 'close', 'ID'],
  ],
  'issue reopen': [
    ['issue', 'reopen', 'ID', '--json'],
    ['issue', 'reopen', 'ID'],
  ],
  'issue update': [
    ['issue', 'update', 'ID', '--title', 'Other', '--json'],
    ['issue', 'update', 'ID', '--title', 'Another'],
  ],
}

/** Like `writingLines`, for commands that read. */
export const readingLines = {
  version: [['--version']],
  'issue list': [
    ['issue', 'list', '--json'],
    ['issue', 'list', '--label', 'bug', '--limit', '1'],
    ['issue', 'list'],
  ],
  'issue show': [
    ['issue', 'show', 'ID', '--json'],
    ['issue', 'show', 'ID'],
  ],
  ready: [['ready', '--json'], ['ready']],
}

/** Modules that only the first list or queue of a rows file evaluates, which writes the list file. */
export const firstListModules = ['view/replace-file', 'view/whole-list']

/** Lines that run typical other commands. */
export const otherLines = [
  ['issue', 'label', 'add', 'ID', '--label', 'ui', '--json'],
  ['issue', 'claim', 'ID', '--json'],
  ['issue', 'history', 'ID', '--json'],
  ['board', '--json'],
  ['search', 'Text', '--json'],
  ['prime'],
  ['undo', '--json'],
]

/** So many commits that a fetch keeps their pack. */
const comments = (clone, length = 8) =>
  Array.from({ length }, (_, index) => [clone, 'grite', 'issue', 'comment', 'ID', '--body', `${clone} ${index}`])

/**
 * Lines of syncs after the first: a little of theirs and of both sides is new, theirs is new, both sides are new, ours is new,
 * nothing is new. The lines that begin with the
 * name of a clone are no lines of this process: they run there, in a process of their own.
 */
export const syncLines = [
  ...comments('peer', 1),
  ['peer', 'grite', 'sync'],
  ['sync'],
  ...comments('peer', 1),
  ['peer', 'grite', 'sync'],
  ...comments('work', 1),
  ['sync'],
  ...comments('peer'),
  ['peer', 'grite', 'sync'],
  ['sync', '--json'],
  ...comments('peer'),
  ['peer', 'grite', 'sync'],
  ...comments('work'),
  ['work', 'git', 'repack', '-adq'],
  ['sync'],
  ...comments('work'),
  ['work', 'git', 'repack', '-adq'],
  ['sync', '--json'],
  ['sync', '--json'],
]

/** Of a packed log, which git reads; then with a loose commit, which is read without it, and a long text, which is decoded as any CBOR. */
export const rebuildLines = [
  ['work', 'git', 'repack', '-adq'],
  ['rebuild'],
  ['work', 'grite', 'issue', 'comment', 'ID', '--body', 'x'.repeat(100_000)],
  ['rebuild', '--json'],
]

/** Modules that only a sync or rebuild of hundreds of commits evaluates. V8 rejects the compiled code of a script that is loaded then. */
export const largeLogModules = ['wal/bulk-hashing', 'view/replace-file', 'view/fill']

/** With a head that is loose, and with one in a pack. */
export const idleSyncLines = [
  ...comments('work', 1),
  ['work', 'grite', 'sync'],
  ['sync', '--json'],
  ['work', 'git', 'repack', '-adq'],
  ['sync'],
]
