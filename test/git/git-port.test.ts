import { openIsomorphic, openNative, openRepository } from '../../src/git/index.ts'
import { gitPortConformance } from '../conformance/git-port.ts'

const everything = {
  objectFormats: ['sha1', 'sha256'],
  refStorages: ['files', 'reftable'],
  alternates: true,
  packs: true,
} as const

gitPortConformance('native', openNative, everything)
gitPortConformance('combined', openRepository, everything)
gitPortConformance('isomorphic', openIsomorphic, {
  objectFormats: ['sha1'],
  refStorages: ['files'],
  alternates: false,
  packs: false,
})
