/** The page of `export --format md`. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createCommandSandbox } from '../../support/command-runner.ts'

let nowUnixMs = Date.UTC(2026, 3, 5, 14, 35)
const place = createCommandSandbox({ after }, { nowUnixMs: () => nowUnixMs })

// biome-ignore lint/suspicious/noExplicitAny: answers are read like JSON
const run = (name: string, input: object = {}): Promise<any> => place.run(name, { ...input })
const page = async (input: object = {}): Promise<string> => (await run('export', { format: 'md', ...input })).content

test('a page of issues reads from open to closed, with names, dates and threads', async () => {
  await run('actor init', { label: 'ann_' })
  const { issue_id: done } = await run('issue create', { title: 'Done *', body: '# Why' })
  const { issue_id: id } = await run('issue create', {
    title: 'Crash',
    type: 'bug',
    priority: 'P1',
    label: ['ui'],
    assignee: ['bo'],
    parent: done,
  })
  await run('issue close', { issue: [done] })
  await run('issue link add', { issue: id, url: 'https://example.org/a_b', note: 'trace' })
  const { event_id: first } = await run('issue comment', { issue: id, body: 'Seen.\n# Where' })
  const { event_id: reply } = await run('issue comment', { issue: id, body: 'On Linux', replyTo: first })
  const { event_id: last } = await run('issue comment', { issue: id, body: 'Secret' })
  nowUnixMs += 60_000
  await run('issue comment edit', { comment: reply, body: 'On Linux only' })
  await run('issue comment hide', { comment: last })
  const [shortId, doneId] = [id.slice(0, 7), done.slice(0, 7)]
  assert.equal(
    await page(),
    `# Issues

Exported from grite on 2026-04-05 14:36 UTC: 1 open, 1 closed.

## Open

### Crash

\`${shortId}\` · bug · P1 · part of Done \\* · labels ui · assigned to bo · by ann\\_ on 2026-04-05 14:35 UTC

- Link: <https://example.org/a_b> (trace)

#### Comments

> **ann\\_** on 2026-04-05 14:35 UTC
>
> Seen.
> ##### Where
>
> > **ann\\_** on 2026-04-05 14:35 UTC, edited by ann\\_ on 2026-04-05 14:36 UTC
> >
> > On Linux only

> **ann\\_** on 2026-04-05 14:35 UTC
>
> *hidden by ann\\_ on 2026-04-05 14:36 UTC*

## Closed

### Done \\*

\`${doneId}\` · by ann\\_ on 2026-04-05 14:35 UTC · closed on 2026-04-05 14:35 UTC

#### Why
`,
  )
})

test('an edit of a comment is a change of its issue for --since', async () => {
  const text = await page({ since: `${Date.UTC(2026, 3, 5, 14, 35, 30)}` })
  assert.match(text, /^### Crash$/m)
  assert.doesNotMatch(text, /^### Done/m)
})

test('a page of many issues begins with links to them', async () => {
  assert.doesNotMatch(await page(), /<a id=/)
  for (const title of ['C', 'D', 'E']) await run('issue create', { title })
  const text = await page()
  const targets = [...text.matchAll(/\]\(#(issue-[0-9a-f]+)\)/g)].map(([, target]) => target)
  assert.deepEqual(
    targets,
    [...text.matchAll(/<a id="(.*)"><\/a>/g)].map(([, id]) => id),
  )
  assert.equal(targets.length, 5)
})
