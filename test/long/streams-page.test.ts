import { test } from 'node:test'
import { createGriteSandbox } from '../contract/grite-process.ts'
import { walkPage } from '../support/walk-page.ts'

test('docs/streams.md is a walk that gives what it shows', (t) => {
  walkPage('docs/streams.md', createGriteSandbox(t))
})
