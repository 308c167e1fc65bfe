import { countLooseRefs, hasManyLooseRefs, packRefs } from '../../git/index.ts'
import { streamRefPrefix } from '../../model/streams/index.ts'
import { type Check, count, ok } from './check.ts'

export const looseRefs: Check = {
  id: 'loose_refs',
  async look({ repository: { git } }) {
    const found = countLooseRefs(git, streamRefPrefix)
    if (!hasManyLooseRefs(git, streamRefPrefix))
      return ok(count(found, 'loose ref of a stream', 'loose refs of streams'))
    return {
      status: 'warn',
      message: `${count(found, 'loose ref')} of streams slow down every \`git fetch\``,
      plan: ['`grite doctor --fix` packs them, as `git pack-refs --all` does'],
      details: { loose_refs: found },
    }
  },
  async fix({ repository: { git } }) {
    await packRefs(git)
    return 'packed refs'
  },
}
