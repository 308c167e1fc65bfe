import { syncRef } from '../sync-ref.ts'
import type { Gained as GainedSegments, RefSync, SyncPlace, SyncRequest } from '../sync-request.ts'
import type { IssueSegment } from './issue-codec.ts'
import { issueLog } from './issue-log.ts'
import { refsBesideLog } from './refspecs.ts'

export type LogSyncRequest = Omit<SyncRequest<IssueSegment>, 'alongside'>
export type LogSync = RefSync<IssueSegment>
export type Gained = GainedSegments<IssueSegment>

/** Syncs the local log with a remote's, and fetches the remote's snapshots, locks and leases; see `syncRef`. */
export function syncLog(place: SyncPlace, request: LogSyncRequest): Promise<LogSync> {
  return syncRef({ ...place, stream: issueLog }, { ...request, alongside: refsBesideLog(request.remote) })
}
