/** The refs of streams. The log's own is git's to know too: it keeps a reflog for that one whatever the settings say. */
export { walRef } from '../git/index.ts'
