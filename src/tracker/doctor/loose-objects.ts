import { countObjects, packLooseObjects, readGitConfig } from '../../git/index.ts'
import { type Check, count, ok } from './check.ts'

/** Default of gc.auto: git packs loose objects by itself above this number. */
const looseObjectsDefault = 6700

export const looseObjects: Check = {
  id: 'loose_objects',
  async look({ repository: { git, layout } }) {
    const text = await readGitConfig(layout, git.environment, 'gc.auto')
    const looseMax = Number(text ?? looseObjectsDefault)
    const { looseObjects: found } = await countObjects(git)
    // 0 disables automatic packing.
    if (!(looseMax > 0) || found <= looseMax) return ok(count(found, 'loose object'))
    return {
      status: 'warn',
      message: `${count(found, 'loose object')}, above the limit of ${looseMax} at which git packs them by itself`,
      plan: ['`grite doctor --fix` packs the reachable ones, and `git maintenance run` cleans up all'],
      details: { loose_objects: found, loose_objects_max: looseMax },
    }
  },
  async fix({ repository: { git } }) {
    await packLooseObjects(git)
    return 'maintenance'
  },
}
