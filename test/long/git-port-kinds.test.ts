import { gitPortConformance } from '../conformance/git-port.ts'
import { isomorphic, native } from '../git/git-ports.ts'

for (const port of [native, isomorphic]) gitPortConformance(port, ['alternates', 'bare', 'linked work tree', 'packed'])
