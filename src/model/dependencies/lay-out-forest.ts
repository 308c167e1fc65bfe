import type { IssueId } from '../ids.ts'

/** One line of a tree. */
export interface TreeRow {
  readonly issueId: IssueId
  /** 0 for a root. */
  readonly depth: number
  /**
   * Why there is nothing below it though there would be: it is one of the issues it hangs from, it is unfolded in another
   * line, or the tree is deep enough already.
   */
  readonly cut: 'cycle' | 'repeated' | 'deep' | null
}

export interface TreeLink {
  readonly parent: IssueId
  readonly child: IssueId
}

/** Deeper trees are cut: a chain of a hundred thousand issues would fill gigabytes with indentation. */
export const treeDepthMax = 64

/**
 * Lays issues out as trees, each unfolded once, so that there are no more lines than links and roots. Issues that hang
 * from nothing are roots; where all hang from each other, the first of them is.
 *
 * @param ids - in the order in which roots stand; links that name others are ignored
 * @param links - the children of a parent stand in their order
 * @param root - when given, only what hangs from it
 */
export function layOutForest(ids: readonly IssueId[], links: readonly TreeLink[], root?: IssueId): TreeRow[] {
  const known = new Set(ids)
  const inner = links.filter(({ parent, child }) => known.has(parent) && known.has(child))
  const hanging = new Set(inner.map(({ child }) => child))
  const forest = new Forest(childrenByParent(inner))
  const roots = root === undefined ? [...ids.filter((id) => !hanging.has(id)), ...ids] : [root]
  for (const id of roots) if (!forest.reached.has(id)) forest.plant(id)
  return forest.rows
}

/** An issue and everything that hangs from it, over any number of links. */
export function reachableFrom(root: IssueId, links: readonly TreeLink[]): Set<IssueId> {
  const children = childrenByParent(links)
  const reached = new Set([root])
  // A set hands out what is added while it is walked: it is its own queue.
  for (const id of reached) for (const child of children.get(id) ?? []) reached.add(child)
  return reached
}

function childrenByParent(links: readonly TreeLink[]): Map<IssueId, IssueId[]> {
  const children = new Map<IssueId, IssueId[]>()
  for (const { parent, child } of links) {
    const others = children.get(parent)
    if (others === undefined) children.set(parent, [child])
    else others.push(child)
  }
  return children
}

class Forest {
  readonly rows: TreeRow[] = []
  /** Those that need no root of their own: shown, or below something that was cut for its depth. */
  readonly reached = new Set<IssueId>()
  readonly #children: ReadonlyMap<IssueId, readonly IssueId[]>
  readonly #unfolded = new Set<IssueId>()

  constructor(children: ReadonlyMap<IssueId, readonly IssueId[]>) {
    this.#children = children
  }

  plant(root: IssueId): void {
    const path: { readonly id: IssueId; readonly rest: Iterator<IssueId> }[] = []
    const onPath = new Set<IssueId>()
    const show = (id: IssueId) => {
      const cut = this.#cutOf(id, path.length, onPath)
      this.rows.push({ issueId: id, depth: path.length, cut })
      this.reached.add(id)
      if (cut === 'deep') this.#reachBelow(id)
      if (cut !== null) return
      this.#unfolded.add(id)
      onPath.add(id)
      path.push({ id, rest: this.#childrenOf(id)[Symbol.iterator]() })
    }
    show(root)
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const { done, value } = last.rest.next()
      if (!done) show(value)
      else {
        path.pop()
        onPath.delete(last.id)
      }
    }
  }

  #cutOf(id: IssueId, depth: number, onPath: ReadonlySet<IssueId>): TreeRow['cut'] {
    if (onPath.has(id)) return 'cycle'
    if (this.#childrenOf(id).length === 0) return null
    if (this.#unfolded.has(id)) return 'repeated'
    return depth === treeDepthMax ? 'deep' : null
  }

  #childrenOf(id: IssueId): readonly IssueId[] {
    return this.#children.get(id) ?? []
  }

  #reachBelow(id: IssueId): void {
    const waiting = [id]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const child of this.#childrenOf(next)) {
        if (this.reached.has(child)) continue
        this.reached.add(child)
        waiting.push(child)
      }
    }
  }
}
