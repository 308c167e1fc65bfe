/** Shares the cursor of a reader through a remote while it moves. */
import { showRemote } from '../../git/index.ts'
import { GriteError } from '../../model/index.ts'
import { type StreamId, shownStreamId } from '../../model/streams/index.ts'
import { type CursorPlace, fetchCursors, shareCursor } from '../../wal/streams/index.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import type { Workspace } from '../workspace.ts'
import { quietContext } from './fetch-beside.ts'
import { type RemoteContext, reachRemote } from './reach-remote.ts'

export interface SharedCursor {
  /** Moves the cursor of this clone to where another one has shared it. Only warns when the remote cannot be reached. */
  readonly fetch: () => Promise<void>
  /** Pushes the cursor. Only warns when that fails. @returns whether the remote has it now */
  readonly push: () => Promise<boolean>
}

export function openSharedCursor(
  context: RemoteContext,
  repository: Workspace,
  remote: ChosenRemote,
  { place, streamId, name }: { readonly place: CursorPlace; readonly streamId: StreamId; readonly name: string },
): SharedCursor {
  const quiet = quietContext(context)
  const reach = async (work: Parameters<typeof reachRemote>[4]): Promise<boolean> => {
    try {
      await reachRemote(quiet, repository, remote, 'Sharing', work)
      return true
    } catch (error) {
      if (!(error instanceof GriteError)) throw error
      const shown = showRemote(remote.name)
      const which = `cursor '${name}' of stream '${shownStreamId(streamId)}'`
      const message = `${which} is not shared with '${shown}', only kept here: ${error.message}`
      const details = { ...error.details, code: error.code, stream: streamId, cursor: name, remote: shown }
      quiet.warn({ code: 'cursor-not-shared', message, details, isEssential: true })
      return false
    }
  }
  return {
    fetch: async () => void (await reach((at) => fetchCursors(place, at, [streamId]))),
    push: () => reach((at) => shareCursor(place, at, streamId, name)),
  }
}
