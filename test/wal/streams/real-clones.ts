/** Clones of one remote, with real git. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publishStreams } from '../../../src/wal/streams/index.ts'
import { type CleanUp, createSandbox } from '../../git/temp-repository.ts'
import { idOfClone, logRef, type ModelClone, type OpenClones } from './clones-model.ts'
import { rescueAll } from './clones-setup.ts'
import { openRealStore } from './real-store.ts'

/** @param test - keeps the repository that all others are copies of */
export function realClones(test: CleanUp): OpenClones {
  const { dir, environment, git } = createSandbox(test)
  const original = join(dir, 'original.git')
  git(dir, 'init', '-q', '--bare', '--template=', original)
  let histories = 0
  return async (t) => {
    const place = join(dir, `history-${histories++}`)
    mkdirSync(place)
    const copy = (name: string) => {
      const path = join(place, name)
      cpSync(original, path, { recursive: true })
      return path
    }
    const remote = copy('remote.git')
    const open = async (index: number): Promise<ModelClone> => {
      const path = copy(`clone-${index}.git`)
      writeFileSync(join(path, 'config'), `[remote "origin"]\n\turl = ${remote}\n`, { flag: 'a' })
      const real = await openRealStore({ cwd: path, environment, cloneId: idOfClone(index) }, { warn: () => {} })
      t.after(() => real.git.close())
      const renew = () => {
        const opened = real.open()
        t.after(() => opened.close())
        return opened
      }
      let store = renew()
      return {
        get store() {
          return store
        },
        restart: () => {
          store = renew()
        },
        publish: async (...ids) => await publishStreams(real.remotePlace(store), { ids, isDryRun: false }),
        fetch: async () => await store.fetch(real.remotePlace(store), { ids: null, isWanted: () => true }),
        rescue: async (streamId) => await rescueAll(store, real.remotePlace(store), streamId),
        async moveLog(to) {
          if (to === 'nowhere') git(path, 'update-ref', '-d', logRef)
          else git(path, 'fetch', '-q', 'origin', `+${logRef}:${logRef}`)
        },
      }
    }
    return await Promise.all([0, 1, 2, 3].map(open))
  }
}
