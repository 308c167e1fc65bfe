// Generates docs/cli.md and the man pages from the command table, so that they always match the parser, and docs/json.md
// from the schemas of the commands. Run with `npm run docs`, which makes the schemas first; `--check` writes nothing, and
// its exit status shows whether the files are up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { commandLineCommands } from '../src/cli/all-commands.ts'
import { formatJsonMarkdown } from './docs-json.mjs'
import { formatManPage } from './docs-man.mjs'
import { formatCliMarkdown } from './docs-markdown.mjs'

const project = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
const checking = process.argv.includes('--check')

const generated = {
  'docs/cli.md': formatCliMarkdown(commandLineCommands),
  'docs/json.md': formatJsonMarkdown(commandLineCommands),
  'docs/man/grite.1': formatManPage(commandLineCommands, version),
  // `git grite --help` opens this page.
  'docs/man/git-grite.1': '.so man1/grite.1\n',
}
for (const [file, text] of Object.entries(generated)) {
  const path = join(project, file)
  if (read(path) === text) continue
  if (checking) {
    console.error(`${file} is out of date; run \`npm run docs\``)
    process.exitCode = 1
    continue
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  console.log(`wrote ${file}`)
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
