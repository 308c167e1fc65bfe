import type { OnProgress, RemotePort } from '../../git/index.ts'
import { type EarlyFetch, startEarlyFetch } from '../early-fetch.ts'
import { fetchRequestOf } from '../fetch-request.ts'
import { walRef } from '../ref-names.ts'
import { refsBesideLog } from './refspecs.ts'

/** Starts to fetch what a sync of the log needs, before anything else of the sync runs. */
export function startLogFetch(
  remotes: Pick<RemotePort, 'fetch'>,
  { remote, onProgress }: { readonly remote: string; readonly onProgress: OnProgress | undefined },
): EarlyFetch {
  return startEarlyFetch(remotes, fetchRequestOf(walRef, { remote, alongside: refsBesideLog(remote), onProgress }))
}
