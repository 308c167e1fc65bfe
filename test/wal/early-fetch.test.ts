import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FetchRequest } from '../../src/git/index.ts'
import { startEarlyFetch } from '../../src/wal/early-fetch.ts'

/** A remote whose fetch reports these phases, and then ends as told. */
function remoteWith(phases: readonly string[], end: () => Promise<never[]>) {
  return {
    async fetch({ onStart, onProgress, mayMove }: FetchRequest) {
      onStart?.()
      for (const phase of phases) onProgress?.(phase, 1, 40)
      await mayMove
      return end()
    },
  }
}

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
