/** `daemon install-launcher` of a published package, which has no launcher: it compiles one. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { gritePath } from '../contract/grite-process.ts'
import { createDaemonSandbox } from '../daemon/daemon-process.ts'
import { whyNoCompiler } from '../native/compile-launcher.ts'

test('a launcher that is missing is compiled beside its link', { skip: whyNoCompiler }, (t) => {
  const place = createDaemonSandbox(t)
  // As a published package, which has no launcher.
  const dist = join(place.dir, 'package/dist')
  cpSync(dirname(gritePath), dist, { recursive: true })
  cpSync(join(dirname(gritePath), '../native'), join(dist, '../native'), { recursive: true })
  rmSync(join(dist, 'grite-fast'), { force: true })
  const bin = join(place.dir, 'bin')
  const run = (program: string, ...words: readonly string[]) => {
    const options = { cwd: place.path, env: place.environment, encoding: 'utf8' } as const
    const { stdout, stderr } = spawnSync(program, words, options)
    return stdout || stderr
  }
  const install = () => run(process.execPath, join(dist, 'grite.cjs'), 'daemon', 'install-launcher', bin, '--json')
  const [path, target] = [join(bin, 'grite'), join(bin, 'grite-fast')]
  assert.deepEqual(JSON.parse(install()).data, { path, target, outcome: 'created' })
  assert.equal(run(path, '--version'), run(process.execPath, join(dist, 'grite.cjs'), '--version'))
  assert.equal(JSON.parse(install()).data.outcome, 'unchanged')
  writeFileSync(join(dist, 'build-id'), 'another build')
  assert.equal(JSON.parse(install()).data.outcome, 'created')
  assert.deepEqual(readdirSync(bin).sort(), ['grite', 'grite-fast'])
  writeFileSync(join(dist, '../native/grite.c'), '#error broken')
  assert.match(install(), /the launcher could not be built: cc failed: .*broken/)
  assert.deepEqual(readdirSync(bin).sort(), ['grite', 'grite-fast'])
  rmSync(path)
  assert.equal(JSON.parse(install()).error.code, 'conflict')
})
