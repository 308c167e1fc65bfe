/**
 * The value under a `dep_forward/` key: all edges stored with one issue, as text. One scan of these reads all edges of
 * a repository: one entry per issue instead of one per edge is three times as fast, because the step from LevelDB into
 * JavaScript dominates the cost.
 *
 *     <source, 32 hex> { <type: B, D or R> <target, 32 hex> }
 */
import {
  type Dependency,
  type DependencyType,
  type EdgeList,
  edgesOfList,
  type IssueId,
  type StoredEdge,
} from '../model/index.ts'

const letters = { blocks: 'B', depends_on: 'D', related_to: 'R' } as const satisfies Record<DependencyType, string>
const types = new Map(Object.entries(letters).map(([type, letter]) => [letter as string, type as DependencyType]))

const idLength = 32

export function formatDependencyList(source: IssueId, dependencies: readonly Dependency[]): string {
  return source + dependencies.map(({ target, type }) => letters[type] + target).join('')
}

export function parseDependencyList(text: string): StoredEdge[] {
  return edgesOfList(new DependencyText(text))
}

const edgeLength = 1 + idLength

/** A stored list, read edge by edge. */
export class DependencyText implements EdgeList {
  readonly source: IssueId
  readonly count: number
  readonly #text: string

  constructor(text: string) {
    this.#text = text
    this.source = text.slice(0, idLength) as IssueId
    this.count = Math.floor(text.length / edgeLength)
  }

  typeAt(index: number): DependencyType {
    const letter = this.#text[idLength + index * edgeLength]
    const type = types.get(letter as string)
    if (type === undefined) throw new TypeError(`no edge type '${letter}' in the list of ${this.source}`)
    return type
  }

  targetAt(index: number): IssueId {
    const start = idLength + index * edgeLength + 1
    return this.#text.slice(start, start + idLength) as IssueId
  }
}
