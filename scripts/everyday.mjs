// The commands whose start counts most. Their modules are in the hot script, and each has compiled code of its own.

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
]

/**
 * Lines that run each everyday command in a repository with the issue `ID`. Those that read come after those that write.
 *
 * @type {Readonly<Record<string, readonly (readonly string[])[]>>}
 */
export const everydayLines = {
  version: [['--version']],
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

export const syncLines = [
  ['sync', '--json'],
  ['sync', '--json'],
]
