import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { booleanValue, parseFileConfig } from '../../src/git/file-config.ts'
import { createSandbox } from './temp-repository.ts'

const samples = {
  plain: '[core]\n\tbare = false\n\tworktree = ../x\n',
  'one line': '[core] bare = true\n',
  'case and spaces': '  [Core]\nBARE=TRUE \n[a.b]\nc = 1\n',
  subsections: '[remote "Origin \\"x\\""]\nurl = a\nurl = b\n',
  'quotes and escapes': '[a]\nb = "x # y" ; comment\nc = a\\tb \\"q\\" \\\\\nd = " lead" tail  # no\n',
  continued: '[a]\nb = one \\\n  two\nc = 3\n',
  'no value': '[a]\nb\nc =\n',
  comments: '# x\n; y\n[a] # z\nb = 1\n',
} as const

describe('parseFileConfig', () => {
  for (const [title, text] of Object.entries(samples)) {
    it(`parses a config like git: ${title}`, (t) => {
      const { git, dir } = createSandbox(t)
      const path = join(dir, 'config')
      writeFileSync(path, text)
      const theirs = new Map<string, string[]>()
      for (const row of git(dir, 'config', '--null', '--file', path, '--list').split('\0').filter(Boolean)) {
        const [key = '', ...value] = row.split('\n')
        theirs.set(key, [...(theirs.get(key) ?? []), value.length === 0 ? 'true' : value.join('\n')])
      }
      assert.deepEqual(new Map(parseFileConfig(text)), theirs)
    })
  }

  it('leaves a config it cannot parse to git', () => {
    for (const text of ['a = b\n', '[ a ]\n', '[a]\n= b\n', '[a\nb = c\n', '[a]\nb = "x\n', '[a]\nb = \\x\n']) {
      assert.equal(parseFileConfig(text), null, text)
    }
  })

  it('reads booleans in four spellings', () => {
    const read = (value: string) => booleanValue(parseFileConfig(`[a]\nb = ${value}\n`) ?? new Map(), 'a.b')
    assert.deepEqual(['Yes', 'on', '1', 'true', 'no', 'OFF', '0', '', 'always'].map(read), [
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      null,
    ])
  })
})
