/** Runs the worked examples of record streams from the first to the last line, and compares what they show. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { transformSync } from 'esbuild'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { fencesOf } from '../tidy/commands-in-text.ts'
import { projectDir, read } from '../tidy/source-files.ts'

for (const page of ['docs/streams-trace.md', 'docs/streams-conversation.md']) {
  test(`${page} gives what it shows`, (t) => {
    const place = createGriteSandbox(t)
    const bin = join(place.dir, 'bin')
    mkdirSync(bin)
    symlinkSync(gritePath, join(bin, 'grite'))
    mkdirSync(join(place.path, 'node_modules'))
    symlinkSync(projectDir, join(place.path, 'node_modules/grite'))
    const env = { ...place.environment, PATH: `${bin}:${place.environment.PATH}` }
    const run = (program: string, words: readonly string[]) =>
      spawnSync(program, words, { cwd: place.path, env, encoding: 'utf8' })
    const runAs: Readonly<Record<string, (text: string) => ReturnType<typeof run>>> = {
      sh: (text) => run('bash', ['-ec', text]),
      ts(text) {
        const { code } = transformSync(text, { loader: 'ts', target: 'node20' })
        writeFileSync(join(place.path, 'example.mjs'), code)
        return run(process.execPath, ['example.mjs'])
      },
    }
    const fences = fencesOf(read(page))
    assert.ok(fences.some(({ language }) => language === 'ts'))
    for (const [index, { language, text, line }] of fences.entries()) {
      const outcome = runAs[language]?.(text)
      if (outcome === undefined) continue
      assert.equal(outcome.status, 0, `line ${line}: ${outcome.stderr.slice(-1000)}`)
      const next = fences[index + 1]
      if (next?.language === 'text') assert.equal(outcome.stdout, `${next.text}\n`, `line ${line}`)
      else assert.notEqual(outcome.stdout, '', `line ${line}`)
    }
  })
}
