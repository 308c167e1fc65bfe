/** Every ref name below `refs/grite/` is built here and nowhere else. */
import type { RefName } from '../git/index.ts'

/** The issue log's head. */
export const walRef = 'refs/grite/wal' as RefName
