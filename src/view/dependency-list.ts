/**
 * The value under a `dep_forward/` key: all edges stored with one issue, as text. One scan of these reads all edges of
 * a repository: one entry per issue instead of one per edge is three times as fast, because the step from LevelDB into
 * JavaScript dominates the cost.
 *
 *     <source, 32 hex> { <type: B, D or R> <target, 32 hex> }
 */
import type { Dependency, DependencyType, IssueId, StoredEdge } from '../model/index.ts'

const letters = { blocks: 'B', depends_on: 'D', related_to: 'R' } as const satisfies Record<DependencyType, string>
const types = new Map(Object.entries(letters).map(([type, letter]) => [letter as string, type as DependencyType]))

const idLength = 32

export function formatDependencyList(source: IssueId, dependencies: readonly Dependency[]): string {
  return source + dependencies.map(({ target, type }) => letters[type] + target).join('')
}

export function parseDependencyList(text: string): StoredEdge[] {
  const edges: StoredEdge[] = []
  const source = text.slice(0, idLength) as IssueId
  for (let place = idLength; place < text.length; place += 1 + idLength) {
    const type = types.get(text[place] as string)
    if (type === undefined) throw new TypeError(`no edge type '${text[place]}' in the list of ${source}`)
    edges.push({ source, target: text.slice(place + 1, place + 1 + idLength) as IssueId, type })
  }
  return edges
}
