export { FrameList } from './frame-list.ts'
export {
  type AppendedGroup,
  type AppendPlanner,
  GroupedAppends,
  JournalBlocked,
  type WaitingAppend,
} from './grouped-appends.ts'
export { type JournalDisk, nodeJournalDisk } from './journal-disk.ts'
export type { JournalDamage, JournalFile } from './journal-file.ts'
export { type JournalName, type JournalPlace, listJournals } from './journal-place.ts'
export {
  type Appended,
  type JournalFacts,
  JournalWriter,
  type JournalWriterOptions,
  type SealedPoint,
} from './journal-writer.ts'
export { KeptJournals } from './kept-journals.ts'
export { type JournalBatch, type OpenJournal, readFrames } from './read-frames.ts'
export { type JournalState, readJournals } from './read-journals.ts'
export { unlinkSealed } from './unlink-sealed.ts'
