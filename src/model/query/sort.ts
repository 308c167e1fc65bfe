import { compareText } from '../compare.ts'
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
