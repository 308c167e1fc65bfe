export { type BuiltTree, buildTree, type TreeFiles } from './build-tree.ts'
export { createBundle, isBundle } from './bundle.ts'
export { listChangedFiles } from './changed-files.ts'
export { showRemote } from './classify-remote-failure.ts'
export { type FindRepositoryOptions, findRepository } from './discover.ts'
export { deflateObject } from './durable/object-writer.ts'
export { currentOwner, formatOwner, isOwnerDead, type Owner, ownerFileAt, parseOwner } from './durable/owner.ts'
export { newTemporaryPath } from './durable/temporary-name.ts'
export { type ObjectPlace, writeLooseObjects } from './durable/write-loose-objects.ts'
export { findNewestTag, findRevision, type Revision, type TaggedRevision } from './find-revision.ts'
export { mayHoldObject } from './holds-object.ts'
export { findPromisor, type Hydrate, hydrator } from './hydrate.ts'
export type { PublishHooks, PublishPoint } from './in-process/publish-in-process.ts'
export { findLeftovers, type Leftover, removeLeftover } from './leftovers.ts'
export { type ListedCommit, listHistory } from './list-history.ts'
export type { Environment } from './locate-git.ts'
export { countLooseRefs, hasManyLooseRefs, packRefs, startMaintenance, startPackingRefs } from './maintenance.ts'
export { isMaintenanceOff } from './maintenance-off.ts'
export { type FilterProbe, probeFilter } from './native/probe-filter.ts'
export { findCause, findCauses } from './native/push-report.ts'
export { openRemotes, type RemoteOptions } from './native/remote.ts'
export {
  type CommitFields,
  encodeCommit,
  encodeObject,
  encodeTree,
  hashObject,
  type ParsedCommit,
  parseCommit,
  parseTree,
  type Signature,
  type TreeEntry,
} from './object-codec.ts'
export { countObjects, type ObjectCounts, reachableBytes } from './object-usage.ts'
export { isOid, oidLength, parseOid } from './oid.ts'
export { OidSet } from './oid-set.ts'
export { openIsomorphic, openNative, openRepository } from './open-repository.ts'
export { currentUser, isOwnPath } from './own-path.ts'
export { listOwnRemotes } from './own-remotes.ts'
export { packLooseObjects } from './pack-loose-objects.ts'
export { contentBytesOf, PairEntry } from './pair-entry.ts'
export { requirePermanentStore } from './permanent-store.ts'
export type {
  BareCommit,
  CommitEntry,
  CommitFile,
  CutCommit,
  GitObject,
  GitPort,
  GitSupports,
  HistoryGap,
  ListCommitsOptions,
  ObjectFormat,
  ObjectType,
  Oid,
  OnBrokenRef,
  PendingObject,
  PublishPlan,
  ReadHistoryOptions,
  RefName,
  RefStorage,
  RefUpdate,
  RepositoryLayout,
} from './port.ts'
export type { PortOptions } from './port-context.ts'
export { randomBytes } from './random-bytes.ts'
export { readGitConfig } from './read-config.ts'
export { decodeUtf8, readSmallFile } from './read-small-file.ts'
export { readGitVersion } from './read-version.ts'
export { parseRefName } from './ref-paths.ts'
export { type ReflogEntry, readReflog, reflogMark } from './reflog.ts'
export type {
  FetchRequest,
  LeftOutRefs,
  OnProgress,
  PushedRef,
  PushOutcome,
  PushRequest,
  PushUpdate,
  RemotePort,
} from './remote-port.ts'
export { pausesOf, Retry, type RetryOptions, Standstill, unmovedRoundsMax } from './retry.ts'
export { createGitRunner, type GitResult, type GitRunner, type RunGitOptions, type StartGitOptions } from './run-git.ts'
export { setAsideBrokenRef, setAsideCorruptObject } from './set-aside.ts'
export { shallowMark } from './shallow.ts'
export { privatePermissions, readSharedPermissions, type SharedPermissions } from './shared-permissions.ts'
export { metadataBytesMax } from './walk-history.ts'
