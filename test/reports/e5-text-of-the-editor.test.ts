import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { main } from '../../src/cli/main.ts'
import type { ProcessFacts } from '../../src/cli/process-facts.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { createCommandSandbox } from '../support/command-runner.ts'

/** The command line on a terminal, in this process, with a shell script as editor. */
function setUp(t: CleanUp, script: string) {
  const { dir, path, environment, run, git } = createCommandSandbox(t)
  const editor = join(dir, 'editor')
  writeFileSync(editor, `#!/bin/sh\ntouch '${dir}/opened'\n${script}\n`)
  chmodSync(editor, 0o755)
  const terminal = async (...words: readonly string[]) => {
    let text = ''
    const write = async (more: string) => {
      text += more
    }
    const writeBytes = async (more: Uint8Array) => write(Buffer.from(more).toString('utf8'))
    const sink = {
      isTerminal: true,
      columns: () => 100,
      rows: () => 50,
      write,
      writeBytes,
      onUnread: () => () => undefined,
    }
    const facts: ProcessFacts = {
      cwd: () => path,
      env: { ...environment, EDITOR: editor, GRITE_PAGER: 'cat' },
      stdin: { isTerminal: true, async *chunks() {} },
      stdout: sink,
      stderr: sink,
      nowUnixMs: Date.now,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      onInterrupt: () => () => undefined,
      isInterrupted: () => false,
      rawArguments: () => null,
      rawVariable: () => null,
      leaveInterrupts: () => () => undefined,
    }
    return { status: await main(words, facts), text }
  }
  const drafts = join(path, '.git/grite/drafts')
  return {
    ...{ path, git, run, terminal },
    isOpened: () => existsSync(join(dir, 'opened')),
    create: async () => ((await run('issue create', { title: 'one' })) as { issue_id: string }).issue_id,
    /** Kept texts. */
    kept: () =>
      existsSync(drafts)
        ? readdirSync(drafts).map((name) => readFileSync(join(drafts, name, 'GRITE_EDITMSG.md'), 'utf8'))
        : [],
  }
}

describe('the editor does not open', { concurrency: 4 }, () => {
  const refusals: readonly (readonly [what: string, words: (id: string) => readonly string[], says: RegExp])[] = [
    ['for a missing issue', () => ['issue', 'comment', 'abcdef12'], /no issue/],
    ['for a reply to a missing comment', (id) => ['issue', 'comment', id, '--reply-to=abcd'], /no comment/],
    ['for an update of a missing issue', () => ['issue', 'update', 'abcdef12'], /no issue/],
    ['for a missing parent', () => ['issue', 'create', '--parent=abcdef12'], /no issue/],
    ['for a field with two values', () => ['issue', 'create', '-l', 'priority:P1', '-p', '2'], /given twice/],
    ['for an overlong label', () => ['issue', 'create', `--label=${'x'.repeat(300)}`], /label has 300 bytes/],
    ['for an empty assignee', () => ['issue', 'create', '--assignee= '], /user must not be empty/],
  ]
  for (const [what, words, says] of refusals) {
    it(`the editor does not open ${what}`, async (t) => {
      const { terminal, isOpened, create } = setUp(t, 'echo text > "$1"')
      const { status, text } = await terminal(...words(await create()))
      assert.match(text, says)
      assert.deepEqual([status === 0, isOpened()], [false, false])
    })
  }

  it('the editor does not open for a write that a lock forbids', async (t) => {
    const { terminal, isOpened, create, run, path } = setUp(t, 'echo text > "$1"')
    const id = await create()
    const { actor_id: other } = (await run('actor init', { label: 'other' })) as { actor_id: string }
    await run('lock acquire', { resource: `issue:${id}` })
    const config = readFileSync(join(path, '.git/grite/config.toml'), 'utf8')
    writeFileSync(join(path, '.git/grite/config.toml'), `lock_policy = "require"\n${config}`)
    const { status, text } = await terminal('issue', 'comment', id, `--actor=${other}`)
    assert.match(text, /is held by/)
    assert.deepEqual([status, isOpened()], [4, false])
  })
})

describe('editor texts', { concurrency: 4 }, () => {
  it('a refused editor text is kept below .git and its path reported', async (t) => {
    const long = 'x'.repeat(1100)
    const { terminal, kept, git, path } = setUp(t, `printf '${long}\\n\\nMuch work\\n' > "$1"`)
    const { status, text } = await terminal('issue', 'create')
    assert.equal(status, 2, text)
    assert.deepEqual(kept(), [`${long}\n\nMuch work\n`])
    const [, file = ''] = /Your text was saved to (\S+)/.exec(text) ?? []
    assert.equal(readFileSync(file, 'utf8'), kept()[0])
    const json = await terminal('issue', 'create', '--json')
    assert.equal(readFileSync(JSON.parse(json.text).error.details.draft, 'utf8'), kept()[0])
    assert.equal(git(path, 'status', '--porcelain'), '')
  })

  it('an editor text is kept when the log cannot be written', async (t) => {
    // While the editor was open, a folder replaced the ref.
    const { terminal, kept, create, path } = setUp(t, '')
    const id = await create()
    const ref = join(path, '.git/refs/grite/wal')
    const script = `printf 'Much work\\n' > "$1"; rm '${ref}'; mkdir -p '${ref}/x'; touch '${ref}/x/y'`
    writeFileSync(join(path, '../editor'), `#!/bin/sh\n${script}\n`)
    const { status, text } = await terminal('issue', 'comment', id)
    assert.notEqual(status, 0, text)
    assert.match(text, /Your text was saved to /)
    assert.deepEqual(kept(), ['Much work\n'])
  })

  it('only a saved text is kept when the editor fails', async (t) => {
    const { terminal, kept } = setUp(t, 'echo Much work > "$1"; exit 3')
    const { text } = await terminal('issue', 'create')
    assert.match(text, /exited with status 3; nothing was changed[\s\S]*Your text was saved to /)
    assert.deepEqual(kept(), ['Much work\n'])
    const idle = setUp(t, 'exit 3')
    assert.doesNotMatch((await idle.terminal('issue', 'create')).text, /kept/)
    assert.deepEqual(idle.kept(), [])
  })

  it('an editor text is deleted after its write', async (t) => {
    const { terminal, kept, create, run } = setUp(t, 'echo Much work > "$1"; cp "$1" "$1~"')
    const id = await create()
    assert.equal((await terminal('issue', 'comment', id)).status, 0)
    assert.equal((await terminal('issue', 'update', id)).status, 0)
    const { issue } = (await run('issue show', { issue: id })) as { issue: { title: string; comment_count: number } }
    assert.deepEqual([issue.title, issue.comment_count, kept()], ['Much work', 1, []])
  })
})
