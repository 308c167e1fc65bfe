/**
 * Foreign names compete with ids, pushed links lead elsewhere, and a pipe has no size. An id wins, an
 * ambiguous name is refused, files are written where requested, and no input is read beyond its limit.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { deriveBeadsIssueId, type GriteError, limits } from '../../src/model/index.ts'
import { createGriteSandbox } from '../contract/grite-process.ts'
import { createCommandSandbox } from '../support/command-runner.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A repository with an issue, and helpers to attach and get files. */
async function setUp(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { path, run } = sandbox
  const { issue_id: issue } = (await run('issue create', { title: 'Crash' })) as { issue_id: string }
  const attach = async (name: string, content: string) => {
    writeFileSync(join(sandbox.dir, 'attached'), content)
    await run('issue attachment add', { issue, file: join(sandbox.dir, 'attached'), name })
    return sha256(content)
  }
  const get = async (attachment: string, more: Record<string, unknown> = {}) => {
    const output = join(sandbox.dir, 'got')
    rmSync(output, { force: true })
    await run('issue attachment get', { issue, attachment, output, ...more })
    return readFileSync(output, 'utf8')
  }
  const refused = async (attachment: string, more: Record<string, unknown> = {}): Promise<GriteError> => {
    try {
      await run('issue attachment get', { issue, attachment, ...more })
    } catch (error) {
      return error as GriteError
    }
    return assert.fail(`'${attachment}' was not refused`)
  }
  return { ...sandbox, path: realpathSync(path), issue, attach, get, refused }
}

describe('attachment names', { concurrency: true }, () => {
  it('a SHA-256 never selects an attachment of that name', async (t) => {
    const { attach, get, refused } = await setUp(t)
    const good = await attach('good.txt', 'good')
    await attach(good, 'evil')
    assert.equal(await get(good), 'good')
    assert.equal(await get(good.toUpperCase()), 'good')
    const missing = sha256('not attached')
    await attach(missing, 'evil too')
    assert.equal((await refused(missing)).code, 'not_found')
  })

  it('an attachment name that is a hash prefix is ambiguous', async (t) => {
    const { attach, get, refused } = await setUp(t)
    const good = await attach('good.txt', 'good')
    const named = await attach(good.slice(0, 4), 'named')
    const error = await refused(good.slice(0, 4))
    assert.equal(error.code, 'invalid_args')
    assert.deepEqual(error.details.candidates, [good, named])
    assert.match(error.message, /is ambiguous; it could be:\n {2}[0-9a-f]{64} good\.txt\n {2}[0-9a-f]{64} [0-9a-f]{4}$/)
    assert.equal(await get(good.slice(0, 5)), 'good')
    assert.equal(await get(named.slice(0, 8)), 'named')
  })

  it('a name is ambiguous only with different contents', async (t) => {
    const { attach, get, refused } = await setUp(t)
    const first = await attach('crash.log', 'first')
    await attach('again.log', 'first')
    assert.equal(await get('crash.log'), 'first')
    assert.equal(await get(first.slice(0, 4)), 'first')
    const second = await attach('crash.log', 'second')
    assert.deepEqual((await refused('crash.log')).details.candidates, [first, second])
  })

  it('an empty name and short hash prefixes select no attachment', async (t) => {
    const { attach, refused } = await setUp(t)
    const hash = await attach('a', 'content')
    assert.equal((await refused('')).code, 'invalid_args')
    assert.equal((await refused(hash.slice(0, 3))).code, 'not_found')
  })

  it('an attachment name cannot choose a hidden file, path or option', async (t) => {
    const { attach, refused, run, issue, path } = await setUp(t)
    for (const name of ['.git', '.bashrc', 'a/.envrc', '-rf', 'a\\b', '..', 'a\u202eb', 'line\nend', '/']) {
      const hash = await attach(name, `content of ${name}`)
      assert.equal((await refused(hash)).code, 'invalid_args', name)
    }
    await attach('folder/plain.txt', 'plain')
    await run('issue attachment get', { issue, attachment: 'folder/plain.txt' })
    assert.equal(readFileSync(join(path, 'plain.txt'), 'utf8'), 'plain')
  })
})

describe('output files', { concurrency: true }, () => {
  it('an output does not follow a link out of the work tree', async (t) => {
    const { dir, path, attach, refused, run } = await setUp(t)
    const outside = join(dir, 'precious')
    writeFileSync(outside, 'precious')
    mkdirSync(join(dir, 'elsewhere'))
    symlinkSync(outside, join(path, 'good.link'))
    symlinkSync(join(dir, 'elsewhere'), join(path, 'folder'))
    symlinkSync('.git', join(path, 'metadata'))
    await attach('good.link', 'evil')
    assert.match((await refused('good.link')).message, /already exists/)
    assert.match((await refused('good.link', { force: true })).message, /is a link/)
    for (const output of ['good.link', 'folder/new', 'metadata/config', 'metadata/hooks/post-commit']) {
      const error = await refused('good.link', { output, force: true })
      assert.match(error.message, /is a link to a file outside/, output)
      await assert.rejects(run('export', { format: 'json', output }), { code: 'conflict' }, output)
    }
    assert.equal(readFileSync(outside, 'utf8'), 'precious')
    assert.equal(existsSync(join(dir, 'elsewhere/new')), false)
  })

  it('an output follows links inside the work tree and the user’s own', async (t) => {
    const { dir, path, run } = await setUp(t)
    mkdirSync(join(path, 'reports'))
    symlinkSync('reports', join(path, 'latest'))
    await run('export', { format: 'json', output: 'latest/a.json' })
    assert.ok(existsSync(join(path, 'reports/a.json')))
    writeFileSync(join(dir, 'real'), '')
    symlinkSync(join(dir, 'real'), join(dir, 'mine'))
    await run('export', { format: 'json', output: join(dir, 'mine') })
    assert.ok(lstatSync(join(dir, 'mine')).isSymbolicLink())
    assert.ok(readFileSync(join(dir, 'real'), 'utf8').includes('events'))
  })
})

describe('input files', { concurrency: true }, () => {
  const pipe = (dir: string) => {
    const path = join(dir, 'pipe')
    execFileSync('mkfifo', [path])
    return path
  }

  it('an endless device is read only up to the limit', async (t) => {
    const { run, issue } = await setUp(t)
    const zero = '/dev/zero'
    await assert.rejects(run('issue attachment add', { issue, file: zero, name: 'z' }), {
      code: 'invalid_args',
      message: `--file ${zero} has more than ${limits.attachmentBytesMax} bytes; at most ${limits.attachmentBytesMax} are allowed`,
    })
    await assert.rejects(run('issue comment', { issue, bodyFile: zero }), {
      code: 'invalid_args',
      message: `--body-file ${zero} has more than ${limits.bodyBytesMax} bytes; at most ${limits.bodyBytesMax} are allowed`,
    })
  })

  it('a pipe has the limits of a file', async (t) => {
    const { dir, run, issue } = await setUp(t)
    const path = pipe(dir)
    const write = (bytes: number) =>
      execFileSync('sh', ['-c', `(head -c ${bytes} /dev/zero >"$0" 2>/dev/null) >/dev/null 2>&1 &`, path])
    write(limits.attachmentBytesMax + 1)
    await assert.rejects(run('issue attachment add', { issue, file: path, name: 'p' }), { code: 'invalid_args' })
    write(limits.attachmentBytesMax)
    await run('issue attachment add', { issue, file: path, name: 'p' })
  })

  it('a folder or missing file as input is not found', async (t) => {
    const { dir, run, issue } = await setUp(t)
    for (const file of [dir, join(dir, 'none')]) {
      await assert.rejects(run('issue attachment add', { issue, file, name: 'n' }), { code: 'not_found' })
      await assert.rejects(run('issue comment', { issue, bodyFile: file }), { code: 'not_found' })
    }
  })

  it('an endless configuration file is refused', async (t) => {
    const { path, run } = await setUp(t)
    const config = join(path, '.git/grite/config.toml')
    rmSync(config)
    symlinkSync('/dev/zero', config)
    await assert.rejects(run('issue list'), {
      code: 'io_error',
      message: /config\.toml cannot be read: it is not a file/,
    })
    rmSync(config)
    writeFileSync(config, `# ${' '.repeat(limits.configBytesMax)}\n`)
    await assert.rejects(run('issue list'), { code: 'io_error', message: /it has more than 1048576 bytes/ })
  })

  it('standard input is read only up to its limit', (t) => {
    const { griteWith, create } = createGriteSandbox(t)
    const issue = create('a')
    const comment = griteWith(
      { stdin: 'x'.repeat(limits.bodyBytesMax + 1) },
      'issue',
      'comment',
      issue,
      '--body-file',
      '-',
    )
    assert.equal(comment.status, 2)
    assert.match(comment.stderr, new RegExp(`standard input is longer than ${limits.bodyBytesMax} bytes`))
    const close = `{"op":"close","issue":"${issue}"}\n`
    const batch = griteWith({ stdin: close.repeat(limits.batchOperationsMax + 1) }, 'batch', '--json')
    assert.equal(batch.status, 2)
    assert.match(batch.stderr, new RegExp(`a batch can have at most ${limits.batchOperationsMax} operations`))
    const line = `${close.trim().padEnd(limits.lineBytesMax - 1)}\n`
    const input = griteWith({ stdin: line.repeat(limits.batchInputBytesMax / line.length) + close }, 'batch', '--json')
    assert.equal(input.status, 2)
    assert.match(input.stderr, new RegExp(`${limits.batchInputBytesMax} bytes`))
  })
})

describe('issue ids', { concurrency: true }, () => {
  it('a full issue id beats imported ids, a prefix does not', async (t) => {
    const { dir, run } = createCommandSandbox(t)
    const { issue_id: issue } = (await run('issue create', { title: 'Own' })) as { issue_id: string }
    const prefix = issue.slice(0, 6)
    const created = '2026-01-01T00:00:00Z'
    const line = (id: string) =>
      JSON.stringify({ id, title: `Imported ${id}`, status: 'open', created_at: created, updated_at: created })
    writeFileSync(join(dir, 'tracker.jsonl'), `${line(prefix)}\n${line(issue)}\n`)
    await run('import', { file: join(dir, 'tracker.jsonl') })
    const shown = async (typed: string) =>
      ((await run('issue show', { issue: typed })) as { issue: { title: string } }).issue.title
    assert.equal(await shown(issue), 'Own')
    assert.equal(await shown(issue.slice(0, 7)), 'Own')
    const imported = deriveBeadsIssueId(prefix, Date.parse(created))
    await assert.rejects(run('issue show', { issue: prefix }), (error: GriteError) => {
      assert.equal(error.code, 'invalid_args')
      assert.deepEqual(error.details.candidates, [issue, imported])
      return true
    })
    assert.equal(await shown(imported), `Imported ${prefix}`)
  })
})

describe('actor ids', { concurrency: true }, () => {
  it('a full actor id wins over folder names', async (t) => {
    const { path, run } = createCommandSandbox(t)
    const made = async (label: string) => (await run('actor init', { label })) as { actor_id: string; data_dir: string }
    const [ann, bob] = [await made('ann'), await made('bob')]
    const short = ann.actor_id.slice(0, 12)
    renameSync(bob.data_dir, join(path, '.git/grite/actors', short))
    const used = async (actor: string) =>
      ((await run('actor use', { actor })) as { default_actor: string }).default_actor
    assert.equal(await used(ann.actor_id), ann.actor_id)
    await assert.rejects(used(short), (error: GriteError) => {
      assert.equal(error.code, 'invalid_args')
      assert.deepEqual(error.details.candidates, [ann.actor_id, bob.actor_id].sort())
      return true
    })
  })
})
