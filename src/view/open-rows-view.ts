import { isCurrent } from './is-current.ts'
import type { OpenViewOptions } from './open-view.ts'
import type { RowsUse } from './rows-families.ts'
import { openRowsStore } from './rows-store.ts'
import { isStoreFailure } from './store.ts'
import { View, viewSchema } from './view.ts'

/**
 * A view over the rows files, at the log's head as of a moment ago; undefined when they cannot show it. Reading what they
 * do not have fails, see `isNotInRows`.
 */
export async function openRowsView(
  options: OpenViewOptions & { readonly rowsUse: RowsUse },
): Promise<View | undefined> {
  if (options.doubtsHead === true) return undefined
  const store = openRowsStore(options.directory, viewSchema, options.rowsUse, options.permissions)
  if (store === undefined) return undefined
  try {
    const view = await View.over(store, {})
    if (view !== undefined && (await isCurrent({ ...options, view }))) return view
  } catch (error) {
    if (!isStoreFailure(error)) throw error
  }
  await store.close()
  return undefined
}
