/**
 * Foreign bytes are parsed in one place, and foreign values become text in one place: `JSON.parse` has no limits, and
 * `String()` of a foreign object may throw or overflow the stack.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLines, listSource, readCode } from './source-files.ts'

/** Source without the text in quotes. */
const codeOf = (path: string) => readCode(path).replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''")

function findAll(pattern: RegExp, except: ReadonlySet<string>): string[] {
  return listSource('src')
    .filter((path) => !except.has(path))
    .flatMap((path) => findLines(path, codeOf(path), pattern))
}

test('JSON is parsed only with limits', () => {
  const caches = ['src/view/own-json.ts', 'src/wal/streams/heads-cache.ts']
  const parsers = new Set(['src/model/foreign/parse-json.ts', ...caches])
  assert.deepEqual(
    findAll(/\bJSON\s*\.\s*parse\b|\{[^}]*\bparse\b[^}]*\}\s*=\s*JSON\b/, parsers),
    [],
    'use parseForeignJson and say by a shape what you want; src/view/own-json.ts is for values that the view wrote itself',
  )
})

test('TOML is parsed only with limits', () => {
  const toml = listSource('src').filter((path) => readCode(path).includes("'smol-toml'"))
  assert.deepEqual(toml, ['src/tracker/local/toml-file.ts'], 'read configuration through readToml')
})

test('no value of unknown type is converted by String()', () => {
  assert.deepEqual(
    findAll(/(?<![\w.$])String\(|(?<![\w.$])String\.raw|\bas unknown as string\b/, new Set()),
    [],
    'a number goes into a template; anything foreign is named by describeForeign',
  )
})

/** Values written as JSON, by file. None of them is an unchecked foreign value. */
const writers: Readonly<Record<string, string>> = {
  'src/cli/render/as-json.ts': 'data of commands',
  'src/cli/render/batch.ts': 'results of a batch',
  'src/cli/render/json-output.ts': 'the document of --json',
  'src/cli/render/stream-acts.ts': 'the document of a proof',
  'src/commands/consume.ts': 'records, as in the document of --json',
  'src/commands/prime/prime.ts': 'the document of --json, whose length counts',
  'src/commands/watch/watch.ts': 'an event for a program',
  'src/git/build-tree.ts': 'a path in the message of a defect',
  'src/git/native/write-objects.ts': "git's answer in the message of a defect",
  'src/git/oid.ts': 'an id in the message of a defect, cut off',
  'src/git/ref-paths.ts': 'a ref name in a message, cut off',
  'src/import/canonical-json.ts': 'what is left of a line, whose depth is bounded',
  'src/import/plan-issue.ts': 'a link as a key',
  'src/library/repository.ts': "operations of the program's own batch; what cannot be written is refused",
  'src/model/actor-card.ts': 'a card',
  'src/model/comment-overlay.ts': 'a comment overlay',
  'src/model/cursor.ts': 'a list of texts and numbers',
  'src/model/foreign/describe-foreign.ts': 'a text, cut off',
  'src/model/issue-state-codec.ts': 'a state',
  'src/model/lock.ts': 'lock.json',
  'src/model/memory.ts': 'the value of a memory',
  'src/model/query/format.ts': 'a parsed qualifier, compared',
  'src/model/saved-query.ts': 'a saved query',
  'src/model/streams/cursor-document.ts': 'cursor.json',
  'src/model/streams/workloads/payload.ts': 'a checked record',
  'src/tracker/export/json-pieces.ts': 'answers and exports',
  'src/tracker/identity/own-card.ts': 'a label in a note of ours',
  'src/tracker/locks/lock-memory.ts': 'locks that have been read',
  'src/tracker/snapshots/snapshot-memory.ts': 'verdicts on snapshots',
  'src/view/card-fold.ts': 'cards that stand',
  'src/view/index-entries.ts': 'a row',
  'src/view/inspect.ts': 'names of files, compared',
  'src/view/projector.ts': 'contexts',
  'src/view/rows-file.ts': 'the lines that begin its parts',
  'src/view/rows-section.ts': 'the index of its blocks',
  'src/view/view.ts': 'heads',
  'src/wal/issue-log/carried-meta.ts': 'carried members, whose depth and size are bounded',
  'src/wal/issue-log/issue-codec.ts': 'meta.json',
  'src/wal/issue-log/snapshot/snapshot-codec.ts': 'snapshot.json, report.json and signature.json',
  'src/wal/streams/heads-cache.ts': 'facts of manifests',
  'src/wal/streams/stream-codec.ts': 'meta.json of a stream commit',
}

test('JSON.stringify is used only in listed files', () => {
  const found = listSource('src').filter((path) => /\bJSON\s*\.\s*stringify\b/.test(codeOf(path)))
  assert.deepEqual(
    found,
    Object.keys(writers),
    'JSON.stringify of a foreign value may overflow the stack or call its toJSON',
  )
})
