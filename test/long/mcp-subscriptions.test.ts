/** `grite mcp` tells its client what has changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { createGriteSandbox, type GriteSandbox } from '../contract/grite-process.ts'
import { createDaemonSandbox } from '../daemon/daemon-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { connectMcp, until } from '../support/mcp-client.ts'

async function changesOf(t: CleanUp, place: GriteSandbox) {
  const { client, data } = await connectMcp(t, place, place.path)
  const changed = new Set<string>()
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void changed.add(params.uri))
  return { client, data, changed }
}

test('a subscribed resource tells its changes, whoever makes them', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  const [one, other] = [place.create('One'), place.create('Other')]
  place.data('stream', 'create', 'agent/plan')
  const { client, data, changed } = await changesOf(t, place)
  const issue = `grite://issue/${one.slice(0, 8)}`
  const uris = [issue, 'grite://ready', 'grite://stream/agent/plan']
  for (const uri of uris) await client.subscribeResource({ uri })
  await data('issue_comment', { issue: other, body: 'Of the other' })
  await until(() => changed.has('grite://ready'))
  assert.equal(changed.has(issue), false)
  place.data('issue', 'comment', one, '--body=Of this')
  await until(() => changed.has(issue))
  place.data('stream', 'append', 'agent/plan', 'first')
  await until(() => changed.has('grite://stream/agent/plan'))
  for (const uri of uris) await client.unsubscribeResource({ uri })
  changed.clear()
  await data('issue_comment', { issue: one, body: 'Unseen' })
  await client.subscribeResource({ uri: 'grite://prime' })
  await data('issue_comment', { issue: one, body: 'Seen' })
  await until(() => changed.has('grite://prime'))
  assert.deepEqual([...changed], ['grite://prime'])
  await assert.rejects(client.subscribeResource({ uri: 'grite://issue/ffffffff' }), { code: -32002 })
})

test('a subscription goes on when the daemon that served it ends', async (test) => {
  const t = lastFirst(test)
  const place = createDaemonSandbox(t)
  place.startDaemon()
  const { client, data, changed } = await changesOf(t, place)
  await client.subscribeResource({ uri: 'grite://ready' })
  await data('issue_create', { title: 'With' })
  await until(() => changed.has('grite://ready'))
  place.data('daemon', 'stop')
  changed.clear()
  await data('issue_create', { title: 'Without' })
  await until(() => changed.has('grite://ready'))
})
