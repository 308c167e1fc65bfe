import { gitPortConformance } from '../conformance/git-port.ts'
import { combined, isomorphic, native } from './git-ports.ts'
import { repositoryKinds } from './temp-repository.ts'

// What combined does with other kinds is done by the same code; test/long judges the rest.
gitPortConformance(combined, repositoryKinds)
gitPortConformance(native, ['plain', 'sha256', 'reftable'])
gitPortConformance(isomorphic, ['plain', 'sha256', 'reftable'])
