import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { GriteError } from '../../../src/model/index.ts'
import { settings } from '../../../src/tracker/local/settings.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'

interface Changed {
  readonly key: string
  readonly value: string | number | boolean | null
  readonly replaced: string | number | boolean | null
  readonly outcome: string
}

function setUp(t: TestContext, text?: string) {
  const place = createCommandSandbox(t)
  const file = join(place.path, '.git/grite/config.toml')
  if (text !== undefined) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return {
    ...place,
    set: async (key: string, value: string) => (await place.run('config set', { key, value })) as Changed,
    unset: async (key: string) => (await place.run('config unset', { key })) as Changed,
    get: async (key: string) => (await place.run('config get', { key })) as { value: Changed['value']; origin: string },
    list: async () => ((await place.run('config list')) as { settings: (Changed & { origin: string })[] }).settings,
    text: () => readFileSync(file, 'utf8'),
    file,
  }
}

const samples: Readonly<Record<string, readonly [typed: string, value: Changed['value']]>> = {
  lock_policy: ['Require', 'require'],
  verify_signatures: ['warn', 'warn'],
  'snapshot.auto': ['false', false],
  'snapshot.max_events': ['500', 500],
  'snapshot.max_age_days': ['1', 1],
  'snapshot.trust_signed': ['false', false],
  'sync.run_hooks': ['true', true],
  'remote.timeout': ['0', 0],
  'daemon.autospawn': ['false', false],
  'daemon.idle_timeout': ['60', 60],
  'maintenance.auto': ['false', false],
  'sync.remote': ['up', 'up'],
  'lease.remote': ['up', 'up'],
}

describe('config', () => {
  test('every setting is set, read, listed and unset', async (t) => {
    const { set, get, unset, list, git, path, file } = setUp(t)
    git(path, 'remote', 'add', 'up', '/nowhere')
    assert.deepEqual(
      settings.map(({ key }) => key).filter((key) => samples[key] === undefined),
      ['default_actor'],
    )
    for (const [key, [typed, value]] of Object.entries(samples)) {
      const before = await get(key)
      assert.equal(before.origin, 'default', key)
      assert.deepEqual(await set(key, typed), {
        ...{ action: 'set', key, value, replaced: null, outcome: 'changed', wal_head: null },
      })
      assert.deepEqual(await get(key), { key, value, origin: 'clone' })
      assert.equal((await set(key, typed)).outcome, 'unchanged')
    }
    const origins = (await list()).map(({ origin }) => origin)
    assert.equal(origins.filter((origin) => origin === 'clone').length, Object.keys(samples).length)
    for (const [key, [, value]] of Object.entries(samples)) assert.equal((await unset(key)).replaced, value)
    assert.ok((await list()).every(({ origin }) => origin === 'default'))
    assert.doesNotMatch(readFileSync(file, 'utf8'), /=/)
  })

  test('a change leaves comments and unknown keys alone', async (t) => {
    const text = '# mine\nfuture = [1]\n\n[snapshot] # often\n# few\nmax_events = 5 # here\nother = "x"\n'
    const { set, unset, text: read } = setUp(t, text)
    await set('snapshot.max_events', '7')
    assert.equal(read(), text.replace('max_events = 5 # here', 'max_events = 7'))
    await set('lock_policy', 'off')
    await unset('snapshot.max_events')
    assert.equal(read(), `lock_policy = "off"\n${text.replace('max_events = 5 # here\n', '')}`)
  })

  test('a table in a form that only an editor can change is left alone', async (t) => {
    const text = 'snapshot = { max_events = 5 }\n'
    const { set, unset, text: read } = setUp(t, text)
    for (const change of [() => set('snapshot.max_events', '7'), () => unset('snapshot.max_events')]) {
      await assert.rejects(change(), (error: GriteError) => {
        assert.equal(error.code, 'invalid_args')
        assert.match(error.message, /only an editor can change/)
        return true
      })
    }
    assert.equal(read(), text)
  })

  test('a wrong value or name is refused, and nothing is written', async (t) => {
    const { set, get, unset, file } = setUp(t)
    const refused = (promise: Promise<unknown>, says: RegExp) => assert.rejects(promise, says)
    await refused(set('lock_policy', 'maybe'), /lock_policy must be off, warn or require, got 'maybe'/)
    await refused(set('snapshot.auto', 'yes'), /snapshot.auto must be true or false/)
    await refused(set('snapshot.max_events', '0'), /must be a whole number from 1/)
    await refused(set('sync.remote', 'nowhere'), /there is no remote 'nowhere'/)
    await refused(set('default_actor', 'ff'), /no actor/)
    for (const change of [() => set('lock_polcy', 'off'), () => get('lock_polcy'), () => unset('lock_polcy')]) {
      await refused(change(), /there is no setting 'lock_polcy'/)
    }
    assert.equal(existsSync(file), false)
  })

  test('query.<name> is a saved query, in the log', async (t) => {
    const { set, get, unset, list, run } = setUp(t)
    await set('query.mine', 'is:open')
    assert.deepEqual(await get('query.mine'), { key: 'query.mine', value: 'is:open', origin: 'log' })
    assert.deepEqual((await list()).at(-1), { key: 'query.mine', value: 'is:open', origin: 'log' })
    const { queries } = (await run('query list')) as { queries: { name: string; query: string }[] }
    assert.deepEqual(
      queries.map(({ name, query }) => [name, query]),
      [['mine', 'is:open']],
    )
    assert.equal((await unset('query.mine')).replaced, 'is:open')
    await assert.rejects(get('query.mine'), /no saved query is named 'mine'/)
    await assert.rejects(set('query.mine', 'is:what'), /is must be open, closed/)
  })

  test('default_actor takes a prefix, as actor use does', async (t) => {
    const { set, get, run } = setUp(t)
    const { actor_id: id } = (await run('actor init', { label: 'ci' })) as { actor_id: string }
    assert.equal((await set('default_actor', id.slice(0, 8))).value, id)
    assert.equal((await get('default_actor')).value, id)
  })
})
