import { openIsomorphic, openNative, openRepository } from '../../src/git/index.ts'
import type { GitSupports } from '../../src/git/port.ts'
import type { PortUnderTest } from '../conformance/git-port.ts'

const everything: GitSupports = {
  objectFormats: ['sha1', 'sha256'],
  refStorages: ['files', 'reftable'],
  alternates: true,
  packs: true,
}

export const native: PortUnderTest = { name: 'native', open: openNative, supports: everything }
/** The port that commands use. */
export const combined: PortUnderTest = { name: 'combined', open: openRepository, supports: everything }
export const isomorphic: PortUnderTest = {
  name: 'isomorphic',
  open: openIsomorphic,
  supports: { objectFormats: ['sha1'], refStorages: ['files'], alternates: false, packs: false },
}
