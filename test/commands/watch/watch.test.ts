import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { GriteError } from '../../../src/model/index.ts'
import type { WatchedEvent } from '../../../src/tracker/follow/describe-events.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

const sandbox = createCommandSandbox({ after })
const { path, environment } = sandbox

const watcher = (options: Partial<Parameters<typeof commandRunner>[0]> = {}) =>
  commandRunner({ cwd: path, env: environment, ...options })
const titles = ({ emitted }: CommandRunner) => emitted.map((event) => (event as WatchedEvent).title)
/** Before every event, so that no test depends on when its watch starts. */
const since = '1970-01-01'
const interval = '50ms'

before(async () => {
  for (const title of ['one', '$(touch injected) `touch injected`; touch injected', 'three']) {
    await sandbox.run('issue create', { title })
  }
})

describe('watch', () => {
  it('watch --count ends after that many events', async () => {
    const { run, ...rest } = watcher()
    const data = (await run('watch', { since, count: 2 })) as { events: number; ended: string; wal_head: string }
    assert.deepEqual([data.events, data.ended, rest.emitted.length], [2, 'count', 2])
    assert.equal(data.wal_head, sandbox.git(path, 'rev-parse', 'refs/grite/wal'))
  })

  it('watch emits events written while it runs', async () => {
    let made: Promise<unknown> | undefined
    const runner = watcher({
      onEmit: () => {
        made ??= sandbox.run('issue create', { title: 'later' })
      },
    })
    const data = await runner.run('watch', { since, count: 4, interval })
    assert.deepEqual([(data as { ended: string }).ended, titles(runner).at(-1)], ['count', 'later'])
    await made
  })

  it('watch --timeout ends even without any event', async () => {
    const runner = watcher()
    const data = await runner.run('watch', { timeout: '120ms', interval })
    assert.deepEqual([(data as { ended: string }).ended, runner.emitted], ['timeout', []])
  })

  it('watch ends when interrupted', async () => {
    const controller = new AbortController()
    const runner = watcher({ interrupted: controller.signal, onEmit: () => controller.abort() })
    const data = await runner.run('watch', { since })
    assert.deepEqual([(data as { ended: string }).ended, runner.emitted.length], ['interrupted', 1])
  })

  it('watch rejects with the error of its reader', async () => {
    const gone = new Error('nobody reads')
    const runner = watcher({
      onEmit: () => {
        throw gone
      },
    })
    await assert.rejects(runner.run('watch', { since }), gone)
  })

  const refused: readonly (readonly [name: string, input: Record<string, unknown>, field: string])[] = [
    ['a count of 0', { count: 0 }, 'count'],
    ['an interval below the minimum', { interval: '10ms' }, 'interval'],
    ['an interval that is not a duration', { interval: 'often' }, 'interval'],
    ['a timeout above the maximum', { timeout: '8d' }, 'timeout'],
    ['arguments without a program', { argument: ['x'] }, 'exec'],
    ['an empty program', { exec: '' }, 'exec'],
  ]
  for (const [name, input, field] of refused) {
    it(`watch rejects ${name}`, async () => {
      await assert.rejects(
        watcher().run('watch', input),
        (error) => error instanceof GriteError && error.code === 'invalid_args' && error.details.field === field,
      )
    })
  }
})

describe('watch --exec', () => {
  /** Writes a shell script and returns its path. */
  function hook(name: string, ...lines: readonly string[]): string {
    const program = join(sandbox.dir, name)
    writeFileSync(program, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 })
    return program
  }

  it('watch --exec runs the program once per event, one at a time', async () => {
    const out = join(sandbox.dir, 'out')
    // A second run at the same time would find the directory of the first.
    const program = hook(
      'keep',
      `mkdir "${out}.running" || echo twice >> "${out}"`,
      `cat >> "${out}"`,
      `rmdir "${out}.running"`,
    )
    const runner = watcher()
    await runner.run('watch', { since, count: 3, exec: program })
    const given = readFileSync(out, 'utf8').trimEnd().split('\n')
    assert.deepEqual(
      given,
      runner.emitted.map((event) => JSON.stringify(event)),
    )
    assert.deepEqual(runner.warnings, [])
  })

  it('watch --exec passes no event text to a shell or an argument', async () => {
    const out = join(sandbox.dir, 'arguments')
    const program = hook('arguments.sh', `printf '%s\\n' "$@" >> "${out}"`)
    await watcher().run('watch', { since, count: 3, exec: program, argument: ['$HOME', '{}', '--x'] })
    assert.equal(readFileSync(out, 'utf8'), '$HOME\n{}\n--x\n'.repeat(3))
    assert.equal(existsSync(join(path, 'injected')), false)
  })

  const failing: readonly (readonly [name: string, program: () => string, message: RegExp])[] = [
    ['a program that fails', () => hook('fail', 'exit 3'), /fail: exit status 3$/],
    ['a program that is killed', () => hook('die', 'kill -9 $$'), /die: it was killed by SIGKILL$/],
    ['a missing program', () => './nowhere', /nowhere: spawn .*ENOENT$/],
  ]
  for (const [name, program, message] of failing) {
    it(`watch --exec warns about ${name} for each event and continues`, async () => {
      const runner = watcher()
      await runner.run('watch', { since, count: 3, exec: program() })
      assert.equal(runner.emitted.length, 3)
      assert.deepEqual(
        runner.warnings.map(({ code }) => code),
        ['hook-failed', 'hook-failed', 'hook-failed'],
      )
      assert.match(runner.warnings[0]?.message ?? '', message)
    })
  }

  it('watch --exec tolerates a program that reads no input', async () => {
    const runner = watcher()
    await runner.run('watch', { since, count: 3, exec: hook('deaf', 'exec <&-') })
    assert.deepEqual([runner.emitted.length, runner.warnings], [3, []])
  })

  it('watch --exec ends a hanging program at the timeout', async () => {
    const runner = watcher()
    const data = await runner.run('watch', { since, timeout: '150ms', exec: hook('hang', 'exec sleep 60') })
    assert.deepEqual([(data as { ended: string }).ended, runner.emitted.length], ['timeout', 1])
    assert.match(runner.warnings[0]?.message ?? '', /killed by SIGTERM/)
  })

  it('watch --exec ends a hanging program on interrupt', async () => {
    const controller = new AbortController()
    const runner = watcher({
      interrupted: controller.signal,
      onEmit: () => void setTimeout(() => controller.abort(), 50),
    })
    const data = await runner.run('watch', { since, exec: hook('hang', 'exec sleep 60') })
    assert.deepEqual([(data as { ended: string }).ended, runner.warnings], ['interrupted', []])
  })
})
