/** A view with unreadable files: it is set aside or rebuilt, and the command continues. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createLineSandbox } from '../contract/grite-process.ts'

/**
 * LevelDB's table files, oldest first; the newest also holds the view's metadata. Removes the rows files, so that the next
 * read opens LevelDB.
 */
function setUp(t: TestContext) {
  const place = createLineSandbox(t)
  const titles = ['one', 'two', 'three']
  for (const title of titles) {
    place.create(title)
    place.data('issue', 'list')
  }
  const home = join(place.path, '.git/grite')
  const tables = () => {
    const names = readdirSync(home, { recursive: true, encoding: 'utf8' })
    const found = names.filter((name) => name.endsWith('.ldb') && !name.includes('.aside'))
    assert.ok(found.length > 0)
    for (const name of names) if (/[\\/]rows(\.events)?$/.test(name)) rmSync(join(home, name))
    return found.sort().map((name) => join(home, name))
  }
  return { ...place, tables, titles: titles.sort() }
}

const damages: Readonly<Record<string, (path: string) => void>> = {
  'that cannot be read': (path) => {
    rmSync(path)
    // Can be opened, but not read.
    mkdirSync(path)
  },
  'with other content': (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length, 0xff)),
}

describe('unreadable view files', () => {
  for (const [title, damage] of Object.entries(damages)) {
    for (const which of [0, -1]) {
      it(`a view file ${title} costs a rebuild (${which === 0 ? 'oldest' : 'newest'})`, (t) => {
        const { tables, grite, data, titles } = setUp(t)
        damage(tables().at(which) as string)
        const { status, stdout, stderr } = grite('issue', 'list', '--json')
        assert.equal(status, 0, stderr)
        const answer = JSON.parse(stdout)
        const seen = (issues: { title: string }[]) => issues.map((issue) => issue.title).sort()
        assert.deepEqual(seen(answer.data.issues), titles)
        for (const { code } of answer.warnings ?? []) assert.match(code, /^view-(set-aside|rebuilt)$/)
        assert.deepEqual(seen(data('issue', 'list').issues), titles)
      })
    }
  }

  it('an unreadable view file stops neither writes nor rebuilds', (t) => {
    const { tables, grite } = setUp(t)
    const damage = damages['that cannot be read'] as (path: string) => void
    for (const path of tables()) damage(path)
    assert.equal(grite('rebuild').status, 0)
    // Opens LevelDB, which then writes a table.
    grite('board')
    grite('issue', 'create', '--title=four')
    for (const path of tables()) damage(path)
    assert.equal(grite('batch', '--json').status, 0)
    assert.equal(grite('issue', 'create', '--title=five').status, 0)
    assert.equal(JSON.parse(grite('issue', 'list', '--json').stdout).data.issues.length, 5)
  })
})
