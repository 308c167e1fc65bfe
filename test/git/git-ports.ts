import { openIsomorphic, openNative, openRepository } from '../../src/git/index.ts'
import type { GitSupports } from '../../src/git/port.ts'
import type { PortToJudge } from '../conformance/git-port.ts'

const everything: GitSupports = {
  objectFormats: ['sha1', 'sha256'],
  refStorages: ['files', 'reftable'],
  alternates: true,
  packs: true,
}

export const native: PortToJudge = { name: 'native', open: openNative, supports: everything }
/** The one that commands use. */
export const combined: PortToJudge = { name: 'combined', open: openRepository, supports: everything }
export const isomorphic: PortToJudge = {
  name: 'isomorphic',
  open: openIsomorphic,
  supports: { objectFormats: ['sha1'], refStorages: ['files'], alternates: false, packs: false },
}
