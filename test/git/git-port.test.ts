import { gitPortConformance } from '../conformance/git-port.ts'
import { combined, isomorphic, native } from './git-ports.ts'

// What one port does with other kinds is done by the same code; test/long judges the rest.
gitPortConformance(combined, ['plain', 'linked work tree', 'packed', 'reftable'])
gitPortConformance(native, ['plain', 'reftable'])
gitPortConformance(isomorphic, ['plain', 'reftable'])
