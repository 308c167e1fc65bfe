import type { SyncData } from '../../commands/sync/sync.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'
import { renderSyncedStreams } from './stream-remotes.ts'

/** `Pulled 3 events / Pushed to origin`, then a line for each stream that has changed. */
export const renderSync: Renderer<SyncData> = ({ message, streams }, view) => {
  if (view.quiet) return ''
  return `${escapeLine(message)}\n${streams === undefined ? '' : renderSyncedStreams(streams, view)}`
}
