import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { formatRule, formatSkill } from '../../../src/commands/agents/install-skill.ts'
import { GriteError } from '../../../src/model/index.ts'
import { formatGuide } from '../../../src/tracker/agents/guide.ts'
import { beginMarker, endMarker, sectionHeading } from '../../../src/tracker/agents/managed-section.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

const sandbox = createCommandSandbox({ after })
const { path, dir, run, environment } = sandbox
const file = join(path, 'AGENTS.md')
const outside = join(dir, 'outside.md')
const marked = `${beginMarker}\n${formatGuide(2)}${endMarker}\n`

interface Data {
  readonly action: string
  readonly path: string
  readonly agents_md_action: string
  readonly agents_md_path?: string
}

const init = async (input: Readonly<Record<string, unknown>> = {}) => (await run('init', input)) as Data
const refuses = (code: string, details: Readonly<Record<string, unknown>>) => (error: unknown) => {
  assert.ok(error instanceof GriteError, String(error))
  assert.equal(error.code, code)
  for (const [key, value] of Object.entries(details)) assert.equal(error.details[key], value, key)
  return true
}

beforeEach(() => {
  for (const name of readdirSync(path)) if (name !== '.git') rmSync(join(path, name), { recursive: true })
  writeFileSync(outside, 'not ours')
})

describe('init --agents-md', () => {
  it('init --agents-md writes the section once', async () => {
    const written = await init({ agentsMd: true })
    assert.deepEqual([written.agents_md_action, written.agents_md_path], ['created', file])
    assert.equal(readFileSync(file, 'utf8'), marked)
    assert.ok(marked.includes(`\n${sectionHeading}\n`))
    assert.equal((await init({ agentsMd: true })).agents_md_action, 'unchanged')
  })

  it('init --agents-md updates an older section in place', async () => {
    writeFileSync(file, `# Ours\n\n${beginMarker}\nold\n${endMarker}\n\nThe rest\n`)
    assert.equal((await init({ agentsMd: true })).agents_md_action, 'updated')
    assert.equal(readFileSync(file, 'utf8'), `# Ours\n\n${marked}\nThe rest\n`)
  })

  it('init writes no section unless asked', async () => {
    const { agents_md_action, agents_md_path } = await init()
    assert.deepEqual([agents_md_action, agents_md_path, existsSync(file)], ['disabled', undefined, false])
  })

  it('init --agents-md leaves a section of another tool alone', async () => {
    writeFileSync(file, '## Grite\n\nby hand\n')
    assert.equal((await init({ agentsMd: true })).agents_md_action, 'skipped')
    assert.equal(readFileSync(file, 'utf8'), '## Grite\n\nby hand\n')
  })

  it('init --agents-md follows a link to a file beside it', async () => {
    writeFileSync(join(path, 'CLAUDE.md'), 'hello\n')
    symlinkSync('CLAUDE.md', file)
    await init({ agentsMd: true })
    assert.ok(lstatSync(file).isSymbolicLink())
    assert.equal(readFileSync(join(path, 'CLAUDE.md'), 'utf8'), `hello\n\n${marked}`)
  })

  it('init --agents-md writes at the top of the work tree', async () => {
    mkdirSync(join(path, 'src'))
    await commandRunner({ cwd: join(path, 'src'), env: environment }).run('init', { agentsMd: true })
    assert.equal(readFileSync(file, 'utf8'), marked)
  })

  const broken: readonly (readonly [name: string, make: () => void, untouched: string])[] = [
    ['broken markers', () => writeFileSync(file, `${beginMarker}\nx\n`), file],
    ['a link out of the work tree', () => symlinkSync(outside, file), outside],
    ['a link to nothing', () => symlinkSync('nowhere.md', file), join(path, 'nowhere.md')],
    ['a link into the git directory', () => symlinkSync('.git/config', file), join(path, '.git/config')],
    ['a folder in its place', () => mkdirSync(file), join(file, 'x')],
  ]
  for (const [name, make, untouched] of broken) {
    it(`init --agents-md refuses ${name} before any change`, async () => {
      make()
      const read = () => (existsSync(untouched) ? readFileSync(untouched, 'utf8') : null)
      const before = read()
      const actorsBefore = readdirSync(join(path, '.git/grite/actors'))
      await assert.rejects(init({ agentsMd: true }), refuses('conflict', {}))
      assert.equal(read(), before)
      assert.deepEqual(readdirSync(join(path, '.git/grite/actors')), actorsBefore)
    })
  }

  it('init --agents-md is refused in a bare repository', async () => {
    sandbox.git(dir, 'init', '-q', '--bare', 'bare.git')
    const bare = commandRunner({ cwd: join(dir, 'bare.git'), env: environment })
    await assert.rejects(bare.run('init', { agentsMd: true }), refuses('invalid_args', { field: 'agents-md' }))
    await assert.rejects(bare.run('install-skill'), refuses('invalid_args', { field: 'global' }))
  })
})

describe('install-skill', () => {
  const skill = join(path, '.claude/skills/grite/SKILL.md')

  it('install-skill writes the guide with front matter', async () => {
    assert.deepEqual(await run('install-skill'), { path: skill, action: 'created', for: 'claude' })
    assert.deepEqual(await run('install-skill'), { path: skill, action: 'unchanged', for: 'claude' })
    const text = readFileSync(skill, 'utf8')
    assert.equal(text, formatSkill())
    assert.match(text, /^---\nname: grite\ndescription: .+\nversion: \d+\.\d+\.\d+\n---\n\n# Grite\n/)
    assert.ok(text.endsWith(formatGuide(1)))
  })

  it('install-skill replaces a foreign file only with --force', async () => {
    mkdirSync(join(path, '.claude/skills/grite'), { recursive: true })
    writeFileSync(skill, 'mine\n')
    await assert.rejects(run('install-skill'), refuses('conflict', { path: skill }))
    assert.equal(readFileSync(skill, 'utf8'), 'mine\n')
    assert.deepEqual(await run('install-skill', { force: true }), { path: skill, action: 'updated', for: 'claude' })
    assert.equal(readFileSync(skill, 'utf8'), formatSkill())
  })

  it('install-skill --global writes to the home, even outside a repository', async () => {
    const home = join(dir, 'another home')
    mkdirSync(home)
    const elsewhere = commandRunner({ cwd: dir, env: { ...environment, HOME: home } })
    const path = join(home, '.claude/skills/grite/SKILL.md')
    assert.deepEqual(await elsewhere.run('install-skill', { global: true }), { path, action: 'created', for: 'claude' })
    assert.equal(readFileSync(path, 'utf8'), formatSkill())
    const homeless = commandRunner({ cwd: dir, env: { ...environment, HOME: '' } })
    await assert.rejects(homeless.run('install-skill', { global: true }), refuses('invalid_args', { field: 'global' }))
  })

  const places = [
    ['codex', '.agents/skills/grite/SKILL.md', formatSkill()],
    ['cursor', '.cursor/rules/grite.mdc', formatRule()],
  ] as const
  for (const [tool, place, text] of places) {
    it(`install-skill --for ${tool} writes ${place}`, async () => {
      const file = join(path, place)
      assert.deepEqual(await run('install-skill', { for: tool }), { path: file, action: 'created', for: tool })
      assert.equal(readFileSync(file, 'utf8'), text)
      assert.ok(text.endsWith(`---\n\n${formatGuide(1)}`))
    })
  }

  it('install-skill --for generic updates the section of AGENTS.md', async () => {
    writeFileSync(file, '# Ours\n')
    const install = async () => ((await run('install-skill', { for: 'generic' })) as Data).action
    assert.deepEqual([await install(), await install()], ['updated', 'unchanged'])
    assert.equal(readFileSync(file, 'utf8'), `# Ours\n\n${marked}`)
  })

  it('install-skill --global is refused for tools without such a file', async () => {
    for (const tool of ['cursor', 'generic']) {
      await assert.rejects(
        run('install-skill', { for: tool, global: true }),
        refuses('invalid_args', { field: 'global' }),
      )
    }
    await assert.rejects(run('install-skill', { for: 'vi' }), refuses('invalid_args', { field: 'for', value: 'vi' }))
  })

  it('install-skill follows no link out of the work tree', async () => {
    mkdirSync(join(dir, 'elsewhere'))
    symlinkSync(join(dir, 'elsewhere'), join(path, '.claude'))
    await assert.rejects(run('install-skill', { force: true }), refuses('conflict', {}))
    assert.deepEqual(readdirSync(join(dir, 'elsewhere')), [])
  })
})
