import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type GriteSandbox, gritePath } from '../contract/grite-process.ts'
import { fencesOf } from '../tidy/commands-in-text.ts'
import { read } from '../tidy/source-files.ts'

/**
 * Runs the commands of a page of docs/ from the first to the last, in one repository. A block of text after commands is what they
 * print; other commands print something.
 */
export function walkPage(page: string, place: GriteSandbox): void {
  const bin = join(place.dir, 'bin')
  mkdirSync(bin)
  symlinkSync(gritePath, join(bin, 'grite'))
  const env = { ...place.environment, PATH: `${bin}:${place.environment.PATH}` }
  const fences = fencesOf(read(page))
  assert.ok(fences.some(({ language }) => language === 'sh'))
  for (const [index, { language, text, line }] of fences.entries()) {
    if (language !== 'sh') continue
    const { status, stdout, stderr } = spawnSync('bash', ['-c', text], { cwd: place.path, env, encoding: 'utf8' })
    assert.equal(status, 0, `line ${line}: ${stderr}`)
    const next = fences[index + 1]
    if (next?.language === 'text') assert.equal(stdout, `${next.text}\n`, `line ${line}`)
    else assert.notEqual(stdout, '', `line ${line}`)
  }
}
