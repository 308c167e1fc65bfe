import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { IssueRow } from '../../src/view/index.ts'
import { type CommandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { asReferenceEvent, asSummary, type Kinded } from './reference-shapes.ts'

/** Repositories written by the Rust tool, with its output for them (fixtures/repos/README.md). */
const own = fileURLToPath(new URL('../../fixtures/repos/', import.meta.url))
const shared = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url))
const cases = [
  { name: 'small', from: own, bundles: ['repo.bundle'] },
  { name: 'signed', from: own, bundles: ['repo.bundle'] },
  { name: 'two-actors', from: own, bundles: ['repo.bundle'] },
  { name: 'locks', from: own, bundles: ['repo.bundle'] },
  { name: 'snapshots', from: shared, bundles: ['repo.bundle'] },
  { name: 'large', from: shared, bundles: ['repo.bundle'] },
] as const

for (const { name, from, bundles } of cases) {
  const folder = join(from, name)
  const skip = existsSync(folder) ? false : `${name} in ../shared is missing`
  test(`reads '${name}' of the Rust tool with equal output`, { skip }, async (t) => {
    const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
    const { git, path, run, warnings, withRepository } = createCommandSandbox(t)
    for (const bundle of bundles) git(path, 'fetch', '-q', join(folder, bundle), 'refs/grite/*:refs/grite/*')
    assert.equal(git(path, 'rev-parse', 'refs/grite/wal'), expected.wal_head)

    const { issues } = (await run('issue list')) as { issues: IssueRow[] }
    assert.deepEqual(issues.map(asSummary), expected.issues)

    const exported = (await run('export', { format: 'json' })) as { content: { issues: unknown; events: Kinded[] } }
    assert.deepEqual(exported.content.issues, expected.export.issues)
    assert.deepEqual(exported.content.events.map(asReferenceEvent), expected.export.events)
    assert.deepEqual(exported.content.events.map(({ event_id }) => event_id).sort(), [...expected.event_ids].sort())

    for (const [issue, events] of Object.entries(expected.show_events ?? {})) {
      assert.deepEqual(await shownEvents(run, issue), events)
    }
    await assertEdges(run, expected.deps ?? {})
    await withRepository(async (repository) => {
      const view = await repository.view()
      if (expected.context) {
        const files = Object.fromEntries((await view.fileContexts()).map(({ body }) => [body.path, body.content_hash]))
        const wanted = Object.entries<{ content_hash: string }>(expected.context.files)
        assert.deepEqual(files, Object.fromEntries(wanted.map(([file, { content_hash }]) => [file, content_hash])))
        const project = (await view.projectContexts()).map(({ body }) => ({ key: body.key, value: body.value }))
        assert.deepEqual(project, expected.context.project)
      }
    })
    assert.deepEqual(warnings, [])
    assert.deepEqual(((await run('db check', { verifyParents: true })) as { errors: unknown }).errors, [])
  })
}

for (const [first, second] of [
  ['a', 'b'],
  ['b', 'a'],
] as const) {
  test(`reads diverged clones as their union, fetching ${second} into ${first}`, async (t) => {
    const folder = join(own, 'diverged')
    const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
    const { git, path, run, warnings } = createCommandSandbox(t)
    git(path, 'fetch', '-q', join(folder, `${first}.bundle`), 'refs/grite/*:refs/grite/*')
    assert.equal(git(path, 'rev-parse', 'refs/grite/wal'), expected.clones[first].wal_head)
    await run('issue list')
    // The forced fetch replaces the log; the events it lacks are appended again.
    git(path, 'fetch', '-q', join(folder, `${second}.bundle`), '+refs/grite/*:refs/grite/*')

    const { issues } = (await run('issue list')) as { issues: IssueRow[] }
    assert.deepEqual(issues.map(asSummary), expected.issues)
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['log-restored'],
    )
    const exported = (await run('export', { format: 'json' })) as { content: { events: Kinded[] } }
    assert.deepEqual(exported.content.events.map(asReferenceEvent), expected.export.events)
    assert.deepEqual(exported.content.events.map(({ event_id }) => event_id).sort(), expected.event_ids)
    for (const [issue, events] of Object.entries(expected.show_events)) {
      assert.deepEqual(await shownEvents(run, issue), events)
    }
    await assertEdges(run, expected.deps)
    // Each clone added one edge of a cycle.
    const order = (await run('issue dep topo')) as { cycles: readonly string[][] }
    assert.deepEqual(order.cycles.flat().sort(), Object.keys(expected.deps).sort())
    assert.equal(warnings.at(-1)?.code, 'dependency-cycle')
  })
}

/** Returns the events of an issue without the keys that only grite prints. */
async function shownEvents(run: CommandRunner['run'], issue: string): Promise<unknown[]> {
  const { events } = (await run('issue show', { issue })) as { events: readonly Readonly<Record<string, unknown>>[] }
  return events.map(({ actor_label: _label, signature: _signature, ...event }) => event)
}

interface Edge {
  readonly issue_id: string
  readonly dep_type: string
  readonly title: string
}

interface Deps {
  readonly dependencies: readonly Edge[]
  readonly dependents: readonly Edge[]
}

/** Asserts that `dep list` prints for each issue, in both directions, the edges that the Rust tool printed. */
async function assertEdges(run: CommandRunner['run'], expected: Readonly<Record<string, Deps>>): Promise<void> {
  for (const [issue, { dependencies, dependents }] of Object.entries(expected)) {
    for (const [reverse, edges] of [
      [false, dependencies],
      [true, dependents],
    ] as const) {
      const { deps } = (await run('issue dep list', { issue, reverse })) as { deps: readonly Edge[] }
      assert.deepEqual(
        deps.map(({ issue_id, dep_type, title }) => ({ dep_type, issue_id, title })),
        edges,
      )
    }
  }
}
