import { countObjects, packLooseObjects, readGitConfig } from '../../git/index.ts'
import { type Check, count, ok } from './check.ts'

/** From how many on git packs them by itself, when its configuration says nothing (gc.auto). */
const looseObjectsDefault = 6700

export const looseObjects: Check = {
  id: 'loose_objects',
  async look({ repository: { git, layout } }) {
    const text = await readGitConfig(layout, git.environment, 'gc.auto')
    const looseMax = Number(text ?? looseObjectsDefault)
    const { looseObjects: found } = await countObjects(git)
    // With 0 the user wants none of it.
    if (!(looseMax > 0) || found <= looseMax) return ok(count(found, 'loose object'))
    return {
      status: 'warn',
      message: `${count(found, 'loose object')}, more than the ${looseMax} that git packs by itself`,
      plan: ['`grite doctor --fix` packs those that something reaches, and `git maintenance run` tidies up all'],
      details: { loose_objects: found, loose_objects_max: looseMax },
    }
  },
  async fix({ repository: { git } }) {
    await packLooseObjects(git)
    return 'maintenance'
  },
}
