import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layeredStore } from '../../src/view/layered-store.ts'
import { openDiskStore, openMemoryStore } from '../../src/view/store.ts'
import { viewConformance } from '../conformance/view.ts'

viewConformance('memory-level', () => openMemoryStore())
viewConformance('classic-level', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'grite-view-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return openDiskStore(join(directory, 'store'), { create: true })
})
viewConformance('a layer above memory-level', async (t) => {
  const base = await openMemoryStore()
  t.after(() => base.close())
  return layeredStore(base)
})
