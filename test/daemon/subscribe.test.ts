/** Notifications of a real daemon. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, DaemonConnection, type WireMap } from '../../src/ipc/index.ts'
import { createGriteSandbox } from '../contract/grite-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'

async function subscribed(test: CleanUp, kinds: readonly string[] = []) {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  t.after(() => void place.grite('daemon', 'stop'))
  place.create('Before')
  const connection = await DaemonConnection.open(place.data('daemon', 'start').endpoint, '')
  t.after(() => connection.close())
  const notices: [string, WireMap][] = []
  let wake = () => {}
  let accept = () => {}
  const accepted = new Promise<void>((resolve) => {
    accept = resolve
  })
  const subscription = connection.request(ask.subscribe, [kinds], {
    onAccepted: () => accept(),
    onNotice(kind, facts) {
      notices.push([kind, facts as WireMap])
      wake()
    },
  })
  await accepted
  const until = async (isThere: () => boolean) => {
    while (!isThere()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { ...place, connection, notices, until, subscription }
}

test('a subscriber hears of events from the daemon and from other processes', async (t) => {
  const place = await subscribed(t, ['EventApplied'])
  const env = { GRITE_NO_DAEMON: '' }
  const { issue_id, event_id, wal_head } = JSON.parse(
    place.griteWith({ env }, 'issue', 'create', '--title', 'Served', '--json').stdout,
  ).data
  const other = place.create('Local')
  await place.until(() => place.notices.length >= 2)
  const [[kind, facts] = [], [, second] = []] = place.notices
  assert.equal(kind, 'EventApplied')
  assert.deepEqual([facts?.issue_id, facts?.event_id, facts?.wal_head], [issue_id, event_id, wal_head])
  assert.equal(second?.issue_id, other)
})

test('a subscriber hears of locks and snapshots', async (t) => {
  const place = await subscribed(t)
  place.grite('lock', 'acquire', 'path:src')
  place.grite('snapshot')
  await place.until(() =>
    ['LockChanged', 'SnapshotCreated'].every((kind) => place.notices.some(([each]) => each === kind)),
  )
})

test('a subscription ends when it is cancelled, and when the daemon stops', async (t) => {
  const place = await subscribed(t)
  const second = place.connection.request(ask.subscribe, [[]])
  place.connection.tell(ask.cancel, place.subscription.id, 2)
  assert.deepEqual(await place.subscription.end, { kind: 'answer', value: null })
  place.grite('daemon', 'stop')
  assert.deepEqual(await second.end, { kind: 'answer', value: null })
})
