/** Selection of keys with `--fields`. */
import { type FieldKey, type Fields, InvalidArgsError } from '../../model/index.ts'

/** The keys of an issue in a list, in order. */
export const rowKeys = [
  'issue_id',
  'short_id',
  'title',
  'state',
  'labels',
  'assignees',
  'created_ts',
  'updated_ts',
  'comment_count',
  'fields',
  'author',
  'claim',
] as const

/** An issue with only the selected keys, which may name members of `fields`, too. */
export type PickedKeys<Issue> = Partial<Issue> & { readonly [Key in FieldKey]?: string | null }

/** @throws {InvalidArgsError} on an unknown key */
export function parseFields<Key extends string>(text: string, allowed: readonly Key[]): Key[] {
  return text.split(',').map((part) => {
    const key = allowed.find((each) => each === part.trim())
    if (key !== undefined) return key
    throw new InvalidArgsError(`unknown key '${part.trim()}' in --fields; allowed keys: ${allowed.join(', ')}`, {
      details: { field: 'fields', value: part.trim(), allowed },
    })
  })
}

/** The selected keys in the given order; a field such as `priority` is read from `fields`. */
export function pickFields<Issue extends { readonly fields: Fields }>(
  issue: Issue,
  keys: readonly string[],
): PickedKeys<Issue> {
  const all: Record<string, unknown> = { ...issue.fields, ...issue }
  return Object.fromEntries(keys.map((key) => [key, all[key] ?? null])) as PickedKeys<Issue>
}
