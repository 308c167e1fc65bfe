import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createGriteSandbox } from '../contract/grite-process.ts'
import { walkPage } from '../support/walk-page.ts'

test('docs/context.md is a walk that gives what it shows', (t) => {
  const place = createGriteSandbox(t)
  const files = {
    'README.md': 'A page.\n',
    'src/parser.ts': 'export class Parser {}\nexport function parse() {}\n',
    'src/config.ts': 'export function readConfig() {}\n',
    'tools/open.py': 'def openRepository():\n    pass\n',
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(place.path, path, '..'), { recursive: true })
    writeFileSync(join(place.path, path), text)
  }
  place.git(place.path, 'add', '-A')
  walkPage('docs/context.md', place)
})
