import type { IssueId } from '../ids.ts'

/** One line of a tree. */
export interface TreeRow {
  readonly issueId: IssueId
  /** 0 for a root. */
  readonly depth: number
  /**
   * Why its children are not shown here: `cycle`: it is one of its own ancestors; `repeated`: they are shown in another
   * row; `deep`: the depth limit is reached.
   */
  readonly cut: 'cycle' | 'repeated' | 'deep' | null
}

export interface TreeLink {
  readonly parent: IssueId
  readonly child: IssueId
}

/** Deeper trees are cut: indentation for a chain of a hundred thousand issues would take gigabytes. */
export const treeDepthMax = 64

/**
 * Lays issues out as trees. Each issue is expanded once, so there are no more rows than links and roots. Issues without
 * a parent are roots; in a cycle without a root, the first issue is.
 *
 * @param ids - in the order of roots; links to other issues are ignored
 * @param links - children keep this order
 * @param root - limits the result to this issue and its descendants
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

/** An issue and all its descendants. */
export function reachableFrom(root: IssueId, links: readonly TreeLink[]): Set<IssueId> {
  const children = childrenByParent(links)
  const reached = new Set([root])
  // A Set iterates over entries added during iteration, so it is its own queue.
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
  /** Issues that need no root of their own: shown, or below a row that was cut for its depth. */
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
