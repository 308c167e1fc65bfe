import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FetchRequest, Oid, RefName } from '../../src/git/index.ts'
import { startEarlyFetch } from '../../src/wal/early-fetch.ts'

/** A remote whose fetch reports these phases, and then ends as told. */
function remoteWith(phases: readonly string[], end: () => Promise<never[]>) {
  return {
    async fetch({ onStart, onProgress, onTransferred, mayMove }: FetchRequest) {
      onStart?.()
      for (const phase of phases) onProgress?.(phase, 1, 40)
      if (end === succeed) onTransferred?.(refs)
      await mayMove
      return end()
    },
  }
}

const refs = new Map([['refs/grite/wal' as RefName, 'a'.repeat(40) as Oid]])
const request: FetchRequest = { remote: 'origin', refspecs: [] }
const succeed = async () => []

describe('early fetch', () => {
  it('tells how many objects arrive before it is landed', async () => {
    const fetch = startEarlyFetch(remoteWith(['Counting objects', 'Receiving objects'], succeed), request)
    assert.equal(await fetch.arriving, 40)
    assert.deepEqual(await fetch.land(), [])
  })

  it('tells at its end that nothing arrived', async () => {
    const fetch = startEarlyFetch(remoteWith(['Resolving deltas'], succeed), request)
    await fetch.land()
    assert.equal(await fetch.arriving, 0)
  })

  it('tells after a failure that nothing arrived', async () => {
    const fail = () => Promise.reject(new Error('unreachable'))
    const fetch = startEarlyFetch(remoteWith([], fail), request)
    await assert.rejects(fetch.land(), /unreachable/)
    assert.equal(await fetch.arriving, 0)
  })

  it('gives the refs of the remote before it is landed, when nothing arrives', async () => {
    const fetch = startEarlyFetch(remoteWith(['Resolving deltas'], succeed), request)
    assert.equal(await fetch.found(), refs)
    await fetch.land()
  })

  it('gives no refs of the remote when objects arrive, or the fetch fails', async () => {
    const fetch = startEarlyFetch(remoteWith(['Counting objects'], succeed), request)
    assert.equal(await fetch.found(), null)
    await fetch.cancel()
    const failing = startEarlyFetch(
      remoteWith([], () => Promise.reject(new Error('unreachable'))),
      request,
    )
    await assert.rejects(failing.land(), /unreachable/)
    assert.equal(await failing.found(), undefined)
  })

  it('passes progress on', async () => {
    const seen: string[] = []
    const onProgress = (phase: string) => seen.push(phase)
    await startEarlyFetch(remoteWith(['Counting objects', 'Resolving deltas'], succeed), {
      ...request,
      onProgress,
    }).land()
    assert.deepEqual(seen, ['Counting objects', 'Resolving deltas'])
  })
})
