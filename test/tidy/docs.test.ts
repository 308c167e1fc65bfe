import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { parseArgv } from '../../src/cli/parse-argv.ts'
import { beadsImportActor, errorKinds, eventKinds, fieldKeys } from '../../src/model/index.ts'
import { jsonContract } from '../contract/json-contract.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { fencesOf, griteCommands, splitCommands } from './commands-in-text.ts'
import { listFiles, projectDir, read } from './source-files.ts'

const pages = listFiles().filter((path) => path.endsWith('.md') && !/^(fixtures|test)\//.test(path))
const table = buildCommandTable(commandLineCommands)

async function faultOf(words: readonly string[]): Promise<string | undefined> {
  const { request } = await parseArgv(words, table)
  return request.kind === 'fault' ? request.error.message : undefined
}

test('grite commands are found in a line of shell', () => {
  const shell = `git log -1 | grite issue create --title "a; b" --body-file - > out # grite no\nnpx grite init && grite list; x`
  assert.deepEqual(griteCommands(shell), [
    ['issue', 'create', '--title', 'a; b', '--body-file', '-'],
    ['init'],
    ['list'],
  ])
  assert.deepEqual(splitCommands("printf '%s\\n' 'a | b' \"c d\"#e"), [['printf', '%s\\n', 'a | b', 'c d#e']])
})

for (const page of pages) {
  test(`${page} shows only existing commands`, async () => {
    const wrong: string[] = []
    for (const { language, text, line } of fencesOf(read(page))) {
      const typed = text.split('\n').some((one) => one.startsWith('$ '))
      if (language === 'text' && !typed) continue
      const shell = withoutPlaceholders(typed ? typedLines(text) : text)
      if (language === 'json') continue
      for (const words of griteCommands(shell)) {
        const fault = await faultOf(words)
        // The page about errors shows wrong lines on purpose.
        if (fault !== undefined && page !== 'docs/errors.md')
          wrong.push(`line ${line}: grite ${words.join(' ')}: ${fault}`)
      }
    }
    for (const [, shell = ''] of read(page).matchAll(/`((?:git |npx )?grite [^`\n]+)`/g)) {
      for (const words of griteCommands(withoutPlaceholders(shell))) {
        const known = words.filter((word) => word !== '…')
        const fault = await faultOf(known)
        if (fault !== undefined && !/^(missing|unexpected argument)/.test(fault)) wrong.push(`\`${shell}\`: ${fault}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  test(`${page} has only working links`, () => {
    const wrong = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#')
        const file = path === '' ? page : normalize(join(dirname(page), path))
        if (!existsSync(join(projectDir, file))) return true
        return anchor !== undefined && !anchorsOf(read(file)).has(anchor)
      })
    assert.deepEqual(wrong, [])
  })
}

/** `<64 hex>` stands for one word, `[options]` and `<command>` for any number of words. */
function withoutPlaceholders(shell: string): string {
  return shell.replaceAll(/(?<=--[\w-]+ )<[\w ]+>/g, 'x').replaceAll(/<[\w .]+>|\[[\w .]+\]/g, '')
}

/** The lines behind a prompt, with those that continue them. */
function typedLines(text: string): string {
  return [...text.replaceAll('\\\n', ' ').matchAll(/^\$ (.*)$/gm)].map(([, line]) => line).join('\n')
}

/** Anchors of headings, as forges generate them. */
function anchorsOf(markdown: string): Set<string> {
  return new Set(
    [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

test('generated pages are up to date', () => {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/docs.mjs', '--check'], {
    cwd: projectDir,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})

test('docs/json.md names the keys of every command', () => {
  const [, ...sections] = read('docs/json.md').split(/^### grite /m)
  const keysOf = new Map(
    sections.map((section) => {
      const keys = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, key = '']) => key)
      return [section.slice(0, section.indexOf('\n')), new Set(keys)] as const
    }),
  )
  assert.deepEqual(
    [...keysOf.keys()],
    commandLineCommands.map(({ name }) => name),
  )
  const missing = Object.entries(jsonContract).flatMap(([command, { data = [] }]) =>
    data.map((key) => key.replace('?', '')).filter((key) => keysOf.get(command)?.has(key) !== true),
  )
  assert.deepEqual(missing, [])
})

test('docs/errors.md describes exactly the known error kinds', () => {
  const page = read('docs/errors.md')
  const sections = new Map(
    page
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
  )
  assert.deepEqual([...sections.keys()], Object.keys(errorKinds))
  for (const [kind, { code, exit, prefix }] of Object.entries(errorKinds)) {
    const section = sections.get(kind) ?? ''
    assert.ok(section.includes(`\`${code}\`, exit ${exit}, \`${prefix}…\``), `${kind}: opens with its facts`)
    assert.ok(section.includes(`error: ${prefix}`), `${kind}: has an example`)
    assert.ok(section.includes('What to do:'), `${kind}: says what to do`)
    assert.ok(
      page.includes(`| [${kind}](#${kind.toLowerCase()}) | \`${code}\` | ${exit} |`),
      `${kind}: is in the table`,
    )
  }
})

test('docs/errors.md lists every refusal reason of locks and claims', () => {
  const sources = listFiles().filter((path) => /^src\/(commands\/lock|tracker\/(locks|claims))\//.test(path))
  const reasons = sources.flatMap((path) =>
    [...read(path).matchAll(/\breason: (?:\w+ \? )?'([a-z-]+)'(?: : '([a-z-]+)')?/g)].flatMap(([, ...found]) => found),
  )
  const page = read('docs/errors.md')
  const unlisted = (reason: string | undefined) => reason !== undefined && !page.includes(`\`${reason}\``)
  assert.ok(reasons.includes('held'))
  assert.deepEqual(reasons.filter(unlisted), [])
})

test('examples in docs/errors.md match the output of grite', (t) => {
  const program = join(projectDir, 'dist/grite.cjs')
  if (!existsSync(program)) return t.skip('dist/ is not built; npm run build')
  const sandbox = createSandbox(t)
  sandbox.git(sandbox.dir, 'init', '-q', 'repository')
  const cwd = join(sandbox.dir, 'repository')
  mkdirSync(join(cwd, '.git/grite'))
  const config = join(cwd, '.git/grite/config.toml')
  const sections = read('docs/errors.md').split(/^## /m).slice(1)
  for (const kind of ['invalidArgs', 'idParse', 'config', 'notFound']) {
    const section = sections.find((text) => text.startsWith(`${kind}\n`)) ?? ''
    const [, line = '', said = ''] = /^\$ (grite .*)\n(.*)$/m.exec(section) ?? []
    writeFileSync(config, kind === 'config' ? 'default_actor = "ann"\n' : '')
    const words = splitCommands(line)[0]?.slice(1) ?? []
    const { stderr } = spawnSync(process.execPath, [program, ...words], {
      cwd,
      env: sandbox.environment,
      encoding: 'utf8',
    })
    assert.equal(stderr.split('\n')[0]?.replaceAll(`${cwd}/`, ''), said)
  }
})

test('the README lists every error code with its exit status', () => {
  const rows = new Map(
    [...read('README.md').matchAll(/^\| (\d) \| [^|]+\|([^|]*)\|$/gm)].map(([, exit, codes = '']) => [exit, codes]),
  )
  const missing = Object.values(errorKinds).filter(
    // Configuration has an exit status of its own; the daemon does not exist yet.
    ({ code, exit }) => code !== 'ipc_error' && exit !== 1 && !rows.get(String(exit))?.includes(`\`${code}\``),
  )
  assert.deepEqual(missing, [])
})

test('docs/format.md covers every event kind, field and import constant', () => {
  const page = read('docs/format.md')
  for (const [name, { tag, fields }] of Object.entries(eventKinds)) {
    const row = new RegExp(`^\\| ${tag} \\| ${name} \\| (.*) \\|$`, 'm').exec(page)?.[1]
    assert.ok(row, `${name} has a row`)
    if (row === 'as 11') continue
    for (const field of Object.keys(fields)) assert.match(row, new RegExp(`\\b${field}\\b`))
  }
  for (const key of fieldKeys) assert.match(page, new RegExp(`^\\| \`${key}\` \\|`, 'm'))
  assert.ok(page.includes(`\`${beadsImportActor}\``))
})

test('the example in docs/format.md is the published vector', () => {
  const [vector] = JSON.parse(read('test/vectors/hash-vectors.json')).published
  const example = read('docs/format.md').replaceAll('\n', '')
  assert.ok(example.includes(`${vector.preimage_cbor}→ ${vector.event_id}`))
})

test('every dependency is explained in docs/decisions', () => {
  const decisions = listFiles('docs/decisions').map(read).join('\n')
  const { dependencies, devDependencies } = JSON.parse(read('package.json'))
  const missing = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !decisions.includes(`**${name}**`),
  )
  assert.deepEqual(missing, [], 'say in docs/decisions/0001 why it is not twenty lines of ours')
})

test('decisions are numbered without gaps, matching their titles', () => {
  const files = listFiles('docs/decisions')
  files.forEach((path, index) => {
    const number = String(index + 1).padStart(4, '0')
    assert.match(path, new RegExp(`/${number}-[a-z0-9-]+\\.md$`))
    assert.match(read(path), new RegExp(`^# ${number}: \\S`))
  })
})

test('planned words in the glossary are marked', () => {
  const [, planned = ''] = read('docs/glossary.md').split('## Planned')
  const rows = planned.split('\n').filter((line) => /^\| (?!word|---)/.test(line))
  assert.ok(rows.length > 0)
  assert.deepEqual(
    rows.filter((row) => !row.includes('*planned:*')),
    [],
  )
})
