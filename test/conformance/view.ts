/** Tests that a view passes over every kind of store. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  beadsImportActor,
  deriveBeadsIssueId,
  deriveContextIssueId,
  type Event,
  type EventBody,
  projectContextIssueId,
  type Sha256Hex,
} from '../../src/model/index.ts'
import { type View, viewSchema } from '../../src/view/index.ts'
import type { Store } from '../../src/view/store.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { boundActor, cardEvent, garbage, signed, signerOf } from '../support/cards.ts'
import { batchOf, comment, creation, dumpStore, issueId, makeEvent, openTestView, segmentOf } from '../support/log.ts'

const a = issueId('a0a0')
const b = issueId('b0b0')
const empty = ''
const hexText = (text: string) => Buffer.from(text).toString('hex')
const hexTime = (ms: number) => ms.toString(16).padStart(16, '0')

/** Labels that sort, encode or end unusually; all differ. */
const unusualWords = [
  'plain',
  'with\0nul',
  'with',
  '',
  '\0',
  'ends\0',
  '😀',
  '\u{10ffff}',
  '\ue000',
  '\uffff',
  'ünï/cödé',
  'meta/wal_head',
]

export function viewConformance(name: string, openStore: (t: CleanUp) => Promise<Store>): void {
  async function setUp(t: CleanUp) {
    const store = await openStore(t)
    const view = await openTestView(store)
    t.after(() => view.close())
    let commits = 0
    const apply = async (...events: readonly Event[]) => {
      const commit = (++commits).toString(16).padStart(40, '0')
      await view.apply([segmentOf(batchOf(events), commit)], commit)
      await view.flush()
    }
    const on = (body: EventBody) => apply(makeEvent(a, body))
    const keys = async (family: string) =>
      Object.entries(await dumpStore(store))
        .filter(([key]) => key.startsWith(`${family}/`))
        .map(([key]) => key.slice(family.length + 1))
    return { store, view, apply, on, keys }
  }

  describe(`view over ${name}`, () => {
    it('lists all event ids in ascending order', async (t) => {
      const { view, apply } = await setUp(t)
      assert.equal((await view.allEventIds()).length, 0)
      const events = [creation(a), comment(a, 'one'), comment(b, 'without its issue')]
      await apply(...events)
      const ids = events.map(({ eventId }) => eventId as string).sort()
      assert.equal(Buffer.from(await view.allEventIds()).toString('hex'), ids.join(''))
    })

    it('stores each key family in the documented form', async (t) => {
      const { store, view, apply } = await setUp(t)
      const sha256 = createHash('sha256').update('content').digest('hex') as Sha256Hex
      const events = [
        creation(a, 'first', ['bug']),
        makeEvent(a, { type: 'AssigneeAdded', user: 'ann' }),
        makeEvent(a, { type: 'DependencyAdded', target: b, dep_type: 'blocks' }),
        makeEvent(a, { type: 'AttachmentAdded', name: 'n', sha256, mime: 'm' }),
      ] as const
      await apply(...events)
      const dump = await dumpStore(store)
      const newest = events[3].tsUnixMs
      const eventKeys = events.map(({ eventId }) => `event/${eventId}`)
      const issueEventKeys = events.map(
        ({ eventId, tsUnixMs }) => `issue_events/${a}2f${hexTime(tsUnixMs)}2f${eventId}`,
      )
      assert.deepEqual(
        Object.keys(dump).sort(),
        [
          `assignee_index/${hexText('ann\0')}${a}`,
          `dep_forward/${a}`,
          `dep_reverse/${b}2f${a}${hexText('/blocks')}`,
          ...eventKeys,
          ...issueEventKeys,
          `issue_row/${a}`,
          `issue_state/${a}`,
          `label_index/${hexText('bug\0')}${a}`,
          `state_index/${hexText('open/')}${hexTime(newest)}${a}`,
        ].sort(),
      )
      for (const key of Object.keys(dump)) {
        const hasValue = /^(dep_forward|event|issue_row|issue_state)\//.test(key)
        assert.equal(dump[key] === empty, !hasValue, key)
      }
      assert.equal(Buffer.from(dump[`dep_forward/${a}`] as string, 'hex').toString(), `${a}B${b}`)
      const meta = Object.fromEntries(
        await Promise.all(
          ['schema', 'wal_head', 'event_count', 'issue_count'].map(async (word) => [word, await view.readMeta(word)]),
        ),
      )
      assert.deepEqual(meta, {
        schema: String(viewSchema),
        wal_head: '1'.padStart(40, '0'),
        event_count: '4',
        issue_count: '1',
      })
    })

    it('updates the label index when labels change', async (t) => {
      const { view, apply, on, keys } = await setUp(t)
      await apply(creation(a, 'first', ['old', 'kept']))
      await on({ type: 'LabelAdded', label: 'new' })
      const listed = async (label: string) =>
        (await view.listIssues({ labels: [label] })).map(({ issue_id }) => issue_id)
      assert.deepEqual(await Promise.all(['old', 'kept', 'new'].map(listed)), [[a], [a], [a]])
      await on({ type: 'LabelRemoved', label: 'old' })
      assert.deepEqual(await Promise.all(['old', 'kept', 'new'].map(listed)), [[], [a], [a]])
      assert.equal((await keys('label_index')).length, 2)
      await on({ type: 'LabelAdded', label: 'old' })
      assert.deepEqual(await listed('old'), [a])
    })

    it('updates the assignee and state indexes when they change', async (t) => {
      const { view, apply, on, keys } = await setUp(t)
      await apply(creation(a))
      await on({ type: 'AssigneeAdded', user: 'ann' })
      await on({ type: 'AssigneeAdded', user: 'bo' })
      await on({ type: 'StateChanged', state: 'closed' })
      assert.equal((await view.listIssues({ assignee: 'ann', state: 'closed' })).length, 1)
      assert.equal((await view.listIssues({ state: 'open' })).length, 0)
      await on({ type: 'AssigneeRemoved', user: 'ann' })
      await on({ type: 'StateChanged', state: 'open' })
      assert.equal((await view.listIssues({ assignee: 'ann' })).length, 0)
      assert.equal((await view.listIssues({ assignee: 'bo', state: 'open' })).length, 1)
      assert.equal((await keys('state_index')).length, 1)
      assert.equal((await keys('assignee_index')).length, 1)
    })

    it('adds and removes edges in both directions', async (t) => {
      const { view, apply, on, keys } = await setUp(t)
      await apply(creation(a), creation(b))
      await on({ type: 'DependencyAdded', target: b, dep_type: 'depends_on' })
      await on({ type: 'DependencyAdded', target: b, dep_type: 'related_to' })
      const edges = [
        { other: b, type: 'depends_on' },
        { other: b, type: 'related_to' },
      ]
      assert.deepEqual(await view.dependenciesOf(a), edges)
      assert.deepEqual(
        await view.dependentsOf(b),
        edges.map((edge) => ({ ...edge, other: a })),
      )
      assert.deepEqual(await view.dependentsOf(a), [])
      await apply(makeEvent(b, { type: 'DependencyAdded', target: a, dep_type: 'blocks' }))
      assert.deepEqual(await view.allDependencies(), [
        { source: a, target: b, type: 'depends_on' },
        { source: a, target: b, type: 'related_to' },
        { source: b, target: a, type: 'blocks' },
      ])
      await on({ type: 'DependencyRemoved', target: b, dep_type: 'depends_on' })
      assert.deepEqual(await view.dependenciesOf(a), [edges[1]])
      await on({ type: 'DependencyRemoved', target: b, dep_type: 'related_to' })
      assert.deepEqual(await view.dependenciesOf(a), [])
      assert.deepEqual([(await keys('dep_forward')).length, (await keys('dep_reverse')).length], [1, 1])
    })

    it('hides an issue until its creation event arrives', async (t) => {
      const { store, view, apply, keys } = await setUp(t)
      const created = creation(a, 'late', ['l'])
      await apply(makeEvent(a, { type: 'LabelAdded', label: 'early' }), comment(a, 'c'))
      assert.equal(await view.findIssue(a), undefined)
      assert.deepEqual(await view.listIssues(), [])
      assert.deepEqual(await keys('label_index'), [])
      assert.equal(view.issueCount, 0)
      assert.equal((await view.findStates([a])).get(a)?.commentCount, 1)
      await apply(created)
      const [row] = await view.listIssues({ labels: ['early', 'l'] })
      assert.deepEqual([row?.title, row?.comment_count, view.issueCount, view.eventCount], ['late', 1, 1, 3])
      const again = await openTestView(store)
      assert.deepEqual([again.issueCount, again.eventCount, again.head], [1, 3, view.head])
    })

    it('finds issue ids by prefixes of any length', async (t) => {
      const { view, apply } = await setUp(t)
      const ids = ['abcd0', 'abcd1', 'abce', 'ff', 'ffff', '00'].map(issueId)
      await apply(...ids.map((id) => creation(id)))
      const found = (prefix: string, limit = 10) => view.findIdsByPrefix(prefix, limit)
      assert.deepEqual(await found('abcd0'), [issueId('abcd0')])
      assert.deepEqual(await found('abcd'), [issueId('abcd0'), issueId('abcd1')])
      assert.deepEqual(await found('abc'), ['abcd0', 'abcd1', 'abce'].map(issueId))
      assert.deepEqual(await found('abc', 2), ['abcd0', 'abcd1'].map(issueId))
      assert.deepEqual(await found('f'), [issueId('ff'), issueId('ffff')])
      assert.deepEqual(await found('fff'), [issueId('ffff')])
      assert.deepEqual(await found('f'.repeat(32)), [])
      assert.deepEqual(await found(issueId('ffff')), [issueId('ffff')])
      assert.deepEqual(await found('000'), [issueId('00')])
      assert.equal((await found('')).length, 6)
      assert.deepEqual(await found('abf'), [])
    })

    it('shortens issue ids to unique prefixes', async (t) => {
      const { view, apply } = await setUp(t)
      const ids = ['1234567', '12345678', '123456789', '9'].map(issueId)
      await apply(...ids.map((id) => creation(id)))
      const short = await view.shortIds(ids, 7)
      assert.deepEqual(
        ids.map((id) => short.get(id)),
        ['12345670', '123456780', '123456789', '9000000'],
      )
      for (const [id, prefix] of short) assert.deepEqual(await view.findIdsByPrefix(prefix, 2), [id])
    })

    it('shortens many ids to the prefixes it gives one id', async (t) => {
      const { view, apply } = await setUp(t)
      const ids = Array.from({ length: 150 }, (_, index) => issueId(`77777777${index.toString(16).padStart(2, '0')}`))
      await apply(...ids.map((id) => creation(id)))
      const many = await view.shortIds(ids, 7)
      assert.equal(new Set(many.values()).size, 150)
      for (const id of [ids[0], ids[75], ids[149]] as typeof ids) {
        assert.equal((await view.shortIds([id], 7)).get(id), many.get(id))
        assert.deepEqual(await view.findIdsByPrefix(many.get(id) as string, 2), [id])
      }
    })

    it('distinguishes labels with unusual text', async (t) => {
      const { view, apply } = await setUp(t)
      const ids = unusualWords.map((_, index) => issueId(`e${index.toString(16)}`))
      await apply(...ids.flatMap((id, index) => [creation(id, 't', [unusualWords[index] as string])]))
      for (const [index, word] of unusualWords.entries()) {
        const rows = await view.listIssues({ labels: [word] })
        assert.deepEqual(
          rows.map(({ issue_id }) => issue_id),
          [ids[index]],
          JSON.stringify(word),
        )
        assert.deepEqual(rows[0]?.labels, [word])
      }
      const words = await view.distinctWords('labels')
      assert.deepEqual(
        words,
        [...unusualWords].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))),
      )
    })

    it('distinguishes assignees with unusual text', async (t) => {
      const { view, apply } = await setUp(t)
      const ids = unusualWords.map((_, index) => issueId(`e${index.toString(16)}`))
      await apply(
        ...ids.flatMap((id, index) => [
          creation(id),
          makeEvent(id, { type: 'AssigneeAdded', user: unusualWords[index] as string }),
        ]),
      )
      for (const [index, user] of unusualWords.entries()) {
        assert.deepEqual(
          (await view.listIssues({ assignee: user })).map(({ issue_id }) => issue_id),
          [ids[index]],
        )
      }
      assert.equal((await view.distinctWords('assignees')).length, unusualWords.length)
    })

    it('finds imported issues by their original id', async (t) => {
      const { view, apply, keys } = await setUp(t)
      const created = [
        ['bd-1', 5000],
        ['bd-1', 6000],
        ['bd-10', 5000],
        ['bd-\0', 5000],
        ['', 5000],
      ] as const
      const events = created.map(([original, ts]) =>
        makeEvent(
          deriveBeadsIssueId(original, ts),
          { type: 'IssueCreated', title: original, body: '', labels: [] },
          { ts, actor: beadsImportActor },
        ),
      )
      await apply(...events, creation(a, 'bd-1'))
      const found = async (original: string) => new Set(await view.findByAlias(original))
      assert.deepEqual(await found('bd-1'), new Set([events[0]?.issueId, events[1]?.issueId]))
      assert.deepEqual(await found('bd-10'), new Set([events[2]?.issueId]))
      assert.deepEqual(await found('bd-\0'), new Set([events[3]?.issueId]))
      assert.deepEqual(await found(''), new Set([events[4]?.issueId]))
      assert.deepEqual(await found('bd-'), new Set())
      assert.equal((await keys('alias')).length, 5)
    })

    it('finds the blob of an attachment stored in the log', async (t) => {
      const { view } = await setUp(t)
      const content = Buffer.from('attached')
      const sha256 = createHash('sha256').update(content).digest('hex')
      const batch = batchOf([creation(a)], {
        extras: new Map([
          [`attachments/${sha256}`, content],
          ['ext/x', content],
        ]),
      })
      const segment = segmentOf(batch, '1'.repeat(40))
      await view.apply([segment], '1'.repeat(40))
      await view.flush()
      assert.equal(await view.findAttachmentBlob(sha256), segment.extras.get(`attachments/${sha256}`))
      assert.equal(await view.findAttachmentBlob('0'.repeat(64)), undefined)
    })

    it('ignores an attachment whose content does not match its digest', async (t) => {
      const { view } = await setUp(t)
      const sha256 = createHash('sha256').update('true').digest('hex')
      for (const [index, content] of ['true', 'a lie'].entries()) {
        const batch = batchOf([creation(issueId(`${index}`))], {
          extras: new Map([[`attachments/${sha256}`, Buffer.from(content)]]),
        })
        const segment = segmentOf(batch, `${index}`.repeat(40))
        assert.equal(segment.problems.length, index)
        await view.apply([segment], `${index}`.repeat(40))
      }
      await view.flush()
      const honest = createHash('sha1').update('blob 4\0true').digest('hex')
      assert.equal(await view.findAttachmentBlob(sha256), honest)
    })

    it('keeps the latest context of each file and project key', async (t) => {
      const { view, apply, keys } = await setUp(t)
      const context = (path: string, names: readonly string[], ts: number) =>
        makeEvent(
          deriveContextIssueId(path),
          {
            type: 'ContextUpdated',
            path,
            language: 'ts',
            symbols: names.map((name) => ({ name, kind: 'f', lineStart: 1, lineEnd: 2 })),
            summary: `at ${ts}`,
            content_hash: 'c'.repeat(64) as Sha256Hex,
          },
          { ts },
        )
      const project = (key: string, value: string, ts: number) =>
        makeEvent(projectContextIssueId, { type: 'ProjectContextUpdated', key, value }, { ts })
      await apply(context('src/a.ts', ['old', 'both'], 10), project('k', 'old', 10), project('k\0', 'other', 10))
      await apply(context('src/a.ts', ['both', 'new\0'], 20), project('k', 'new', 20))
      await apply(context('src/a.ts', ['late'], 5), project('k', 'late', 5), context('src/a.ts/b', ['both'], 5))
      assert.deepEqual(
        (await view.fileContexts()).map(({ body }) => [body.path, body.summary]),
        [
          ['src/a.ts', 'at 20'],
          ['src/a.ts/b', 'at 5'],
        ],
      )
      assert.deepEqual(
        (await view.projectContexts()).map(({ body }) => [body.key, body.value]),
        [
          ['k', 'new'],
          ['k\0', 'other'],
        ],
      )
      assert.deepEqual(
        (await keys('context_symbols')).sort(),
        ['both\0src/a.ts', 'both\0src/a.ts/b', 'new\0\0src/a.ts'].map(hexText).sort(),
      )
      assert.deepEqual(await view.listIssues(), [])
      assert.equal(view.eventCount, 8)
    })

    it('finds project keys by name and by prefix with a limit', async (t) => {
      const { view, apply } = await setUp(t)
      const project = (key: string) =>
        makeEvent(projectContextIssueId, { type: 'ProjectContextUpdated', key, value: `of ${key}` })
      await apply(...['q', 'q.b', 'q.a', 'q.ü', 'r', 'q.\0'].map(project))
      const keysOf = async (...args: Parameters<View['projectContexts']>) =>
        (await view.projectContexts(...args)).map(({ body }) => body.key)
      assert.deepEqual(await keysOf('q.'), ['q.\0', 'q.a', 'q.b', 'q.ü'])
      assert.deepEqual(await keysOf('q.', 2), ['q.\0', 'q.a'])
      assert.deepEqual(await keysOf('x'), [])
      assert.equal((await keysOf()).length, 6)
      assert.equal((await view.findProjectContext('q.a'))?.body.value, 'of q.a')
      assert.equal(await view.findProjectContext('q.'), undefined)
    })

    it('finds event ids by prefixes of any length', async (t) => {
      const { view, apply } = await setUp(t)
      const events = Array.from({ length: 40 }, (_, index) => creation(issueId(index.toString(16).padStart(4, '0'))))
      await apply(...events)
      const ids = events.map(({ eventId }) => eventId).sort()
      for (const length of [0, 1, 2, 7, 63, 64]) {
        const prefix = (ids.at(-1) as string).slice(0, length)
        assert.deepEqual(
          await view.findEventIdsByPrefix(prefix, 100),
          ids.filter((id) => id.startsWith(prefix)),
        )
      }
      assert.deepEqual(await view.findEventIdsByPrefix('', 3), ids.slice(0, 3))
    })

    it('applies a repeated event only once', async (t) => {
      const { store, view, apply } = await setUp(t)
      const events = [creation(a), comment(a, 'x')] as const
      await apply(...events)
      const before = await dumpStore(store)
      await apply(events[1], events[0], events[1])
      assert.deepEqual(await dumpStore(store), before)
      assert.deepEqual([view.eventCount, (await view.findIssue(a))?.commentCount], [2, 1])
      assert.equal((await view.eventsOf(a)).length, 2)
    })

    it('keeps the signature that verifies, otherwise the smallest', async (t) => {
      const { view, apply } = await setUp(t)
      const signer = signerOf(1)
      const actor = boundActor(signer)
      const event = makeEvent(a, { type: 'CommentAdded', body: 'x' }, { actor, ts: 50 })
      const { sig: valid } = signed(event, signer)
      const kept = async (sig: Uint8Array | null) => {
        await apply({ ...event, sig })
        const [found] = await view.findEvents([event.eventId])
        return found?.sig ?? null
      }
      const results: (Uint8Array | null)[] = []
      const order = [null, garbage(7), garbage(3), new Uint8Array([5]), null, valid, garbage(1)]
      for (const sig of order) results.push(await kept(sig))
      const least = Buffer.compare(valid as Uint8Array, garbage(3)) < 0 ? valid : garbage(3)
      assert.deepEqual(results, [null, garbage(7), garbage(3), garbage(3), garbage(3), least, garbage(1)])
      await apply(cardEvent({ actor, key: signer, ts: 60 }))
      for (const sig of [null, garbage(0), valid]) assert.deepEqual(await kept(sig), valid)
      assert.deepEqual((await view.eventsOf(a))[0]?.sig, valid)
    })

    it('finds keys and label of an actor from cards in any order', async (t) => {
      const { view, apply } = await setUp(t)
      const [one, two, three] = [signerOf(1), signerOf(2), signerOf(3)]
      const actor = boundActor(one)
      const root = cardEvent({ actor, key: one, label: 'ann', ts: 100 })
      const rotation = cardEvent({ actor, key: two, previous: one, label: 'Ann', ts: 300 })
      const forged = cardEvent({ actor, key: three, label: 'eve', ts: 50 })
      const keys = async () => (await view.findActor(actor))?.keys.map(({ publicKey }) => publicKey)
      assert.equal(await keys(), undefined)
      await apply(rotation)
      assert.deepEqual(await keys(), [])
      await apply(forged)
      assert.deepEqual(await keys(), [three.publicKey])
      await apply({ ...root, sig: garbage(0) })
      assert.deepEqual(await keys(), [three.publicKey])
      await apply(root)
      assert.deepEqual(await keys(), [one.publicKey, two.publicKey])
      assert.equal((await view.findActor(actor))?.label, 'Ann')
      const found: string[] = []
      for await (const event of view.cardEvents()) found.push(event.eventId)
      assert.deepEqual(found, [root, rotation, forged].map(({ eventId }) => eventId).sort())
      assert.deepEqual(
        (await view.findActorsByPrefix(actor.slice(0, 5), 2)).map((each) => each.actor),
        [actor],
      )
      assert.deepEqual(await view.findActorsByPrefix('00', 2), [])
    })

    it('lists rows whole like row by row', async (t) => {
      const { view, apply } = await setUp(t)
      const ids = ['f1', 'b1', 'b2', 'c1'].map(issueId)
      for (const [index, id] of ids.entries()) await apply(creation(id, `Issue ${index}`))
      const { blocks, count, openCount } = await view.wholeList(7)
      const rows = await view.listIssues({})
      const known = await view.shortIds(ids, 7)
      assert.deepEqual(
        blocks.flatMap(({ texts }) => texts).map((text) => JSON.parse(text)),
        rows,
      )
      assert.deepEqual(
        blocks.flatMap(({ shortIds }) => shortIds),
        rows.map(({ issue_id }) => known.get(issue_id)),
      )
      assert.deepEqual([count, openCount], [ids.length, ids.length])
    })

    it('reads id and state of a row without parsing it', async (t) => {
      const { view, apply } = await setUp(t)
      const titles = ['plain', '"state":"open"', '","state":"open","x":"', '\\","state":"open"', 'ünï 😀\0']
      const ids = titles.map((_, index) => issueId(`c${index}`))
      for (const [index, title] of titles.entries()) {
        const id = ids[index] as (typeof ids)[number]
        await apply(creation(id, title, [title || 'label']))
        if (index > 0) await apply(makeEvent(id, { type: 'StateChanged', state: 'closed' }))
      }
      const rows = await view.allRowTexts()
      assert.deepEqual(
        rows.map((row) => row.parse()),
        await view.allRows(),
      )
      assert.deepEqual(
        rows.map(({ issueId, state }) => [issueId, state]),
        ids.map((id, index) => [id, index === 0 ? 'open' : 'closed']),
      )
    })

    it('lists issues by creation time, matching every filter', async (t) => {
      const { view, apply } = await setUp(t)
      const first = creation(issueId('c1'), 'First', ['x', 'y'])
      await apply(first, creation(b, 'Second', ['x']), creation(a, 'Third'))
      const titles = async (filter: Parameters<View['listIssues']>[0]) =>
        (await view.listIssues(filter)).map(({ title }) => title)
      assert.deepEqual(await titles({}), ['First', 'Second', 'Third'])
      assert.deepEqual(await titles({ labels: ['x'] }), ['First', 'Second'])
      assert.deepEqual(await titles({ labels: ['x', 'y'] }), ['First'])
      assert.deepEqual(await titles({ labels: ['x', 'none'] }), [])
      assert.deepEqual(await titles({ labels: ['x'], state: 'closed' }), [])
    })
  })
}
