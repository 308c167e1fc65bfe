import { at, type CompactGraph } from './compact-graph.ts'

/**
 * The strongly connected component of each number: equal for two issues exactly when each waits for the other, directly
 * or through others. Tarjan's algorithm with an explicit stack, so that chains of any length work.
 */
export function componentsOf({ ids, start, waiting }: CompactGraph): Int32Array {
  const unseen = -1
  const component = new Int32Array(ids.length).fill(unseen)
  const seenAt = new Int32Array(ids.length).fill(unseen)
  const low = new Int32Array(ids.length)
  const next = start.slice(0, ids.length)
  const path: number[] = []
  const pending: number[] = []
  let seenCount = 0
  let componentCount = 0
  const enter = (number: number) => {
    seenAt[number] = seenCount
    low[number] = seenCount
    seenCount += 1
    path.push(number)
    pending.push(number)
  }
  for (let root = 0; root < ids.length; root++) {
    if (at(seenAt, root) !== unseen) continue
    enter(root)
    while (path.length > 0) {
      const number = path[path.length - 1] as number
      const place = at(next, number)
      if (place < at(start, number + 1)) {
        next[number] = place + 1
        const other = at(waiting, place)
        if (at(seenAt, other) === unseen) enter(other)
        else if (at(component, other) === unseen) low[number] = Math.min(at(low, number), at(seenAt, other))
        continue
      }
      path.pop()
      const before = path[path.length - 1]
      if (before !== undefined) low[before] = Math.min(at(low, before), at(low, number))
      if (at(low, number) !== at(seenAt, number)) continue
      for (let member = pending.pop(); member !== undefined; member = member === number ? undefined : pending.pop()) {
        component[member] = componentCount
      }
      componentCount += 1
    }
  }
  return component
}
