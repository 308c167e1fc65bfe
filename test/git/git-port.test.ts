import { gitPortConformance } from '../conformance/git-port.ts'
import { combined, isomorphic, native } from './git-ports.ts'

// Other kinds of repository run through this code as well; test/long covers them.
gitPortConformance(combined, ['plain', 'linked work tree', 'packed', 'reftable'])
gitPortConformance(native, ['plain', 'reftable'])
gitPortConformance(isomorphic, ['plain', 'reftable'])
