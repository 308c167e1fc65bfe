import { compareText } from '../compare.ts'
import type { ListOrder, Place, PlaceValue } from '../cursor.ts'
import type { QueryRow } from './evaluate.ts'
import type { QuerySort, QuerySortKey } from './query.ts'

/**
 * Sorts issues as a query asks; by creation, ties by id, when it does not ask or leaves ties. Issues without a value
 * for the key come last in both directions.
 *
 * @param rows - in order of creation
 */
export function sortRows<Row extends QueryRow>(rows: readonly Row[], sort: QuerySort | null): Row[] {
  if (sort === null) return [...rows]
  const sign = sort.direction === 'desc' ? -1 : 1
  return rows
    .map((row) => ({ row, value: sortValue(row, sort.key) }))
    .sort((left, right) => {
      if (left.value === undefined || right.value === undefined) {
        return Number(left.value === undefined) - Number(right.value === undefined)
      }
      return sign * compareValues(left.value, right.value)
    })
    .map(({ row }) => row)
}

function sortValue(row: QueryRow, key: QuerySortKey): string | number | undefined {
  switch (key) {
    case 'created':
      return row.created_ts
    case 'updated':
      return row.updated_ts
    case 'comments':
      return row.comment_count
    case 'title':
      return row.title
    default:
      return row.fields[key]
  }
}

function compareValues(left: string | number, right: string | number): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return compareText(`${left}`, `${right}`)
}

/** The order of `sortRows`, reversed on request, for cutting its result into pages. */
export function orderOfList(sort: QuerySort | null, isReversed: boolean): ListOrder<QueryRow> {
  const { key, direction } = sort ?? { key: 'created', direction: 'asc' }
  const sign = direction === 'desc' ? -1 : 1
  return {
    name: `${key}-${direction}${isReversed ? ', reversed' : ''}`,
    placeOf: (row) => [sortValue(row, key) ?? null, row.created_ts, row.issue_id],
    compare: (left, right) => (isReversed ? -1 : 1) * comparePlaces(left, right, sign),
  }
}

function comparePlaces([value = null, ...left]: Place, [other = null, ...right]: Place, sign: number): number {
  const isMissing = (each: PlaceValue) => Number(each === null)
  const byValue =
    value === null || other === null ? isMissing(value) - isMissing(other) : sign * compareValues(value, other)
  return byValue || compareTies(left, right)
}

/** By creation, then by id. */
function compareTies([created, id]: Place, [otherCreated, otherId]: Place): number {
  return Number(created) - Number(otherCreated) || compareText(`${id}`, `${otherId}`)
}
