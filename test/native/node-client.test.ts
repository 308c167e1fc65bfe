import { daemonClientConformance } from '../conformance/daemon-client.ts'
import { nodeClient } from './node-client.ts'

daemonClientConformance(nodeClient, false)
