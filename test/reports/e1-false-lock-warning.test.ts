import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createActorClones } from '../tracker/locks/lock-clones.ts'

const onRemote = { remote: '' }

describe('lock warnings', { concurrency: 4 }, () => {
  it('a lock warning is given only for an issue that was written', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await bo.run('lock acquire', { resource: `issue:${id}`, ttl: '1h', ...onRemote })
    await ann.run('sync', { pull: true })
    await ann.runner.withRepository(async (repository) => {
      const comment = { type: 'CommentAdded', body: 'x' } as const
      // Staged, but not pushed.
      const staged = await repository.stage((draft) => draft.add(id as never, comment))
      assert.deepEqual(ann.warned(), [])
      await staged.tellPassed()
      assert.deepEqual(ann.warned(), ['locked'])
    })
  })
})
