import { gitPortConformance } from '../conformance/git-port.ts'
import { combined, isomorphic, native } from '../git/git-ports.ts'

gitPortConformance(combined, ['alternates', 'bare', 'sha256'])
gitPortConformance(native, ['alternates', 'bare', 'linked work tree', 'packed', 'sha256'])
gitPortConformance(isomorphic, ['alternates', 'bare', 'linked work tree', 'packed', 'sha256'])
