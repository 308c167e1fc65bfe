import { daemonClientConformance } from '../conformance/daemon-client.ts'
import { nodeClient } from '../native/node-client.ts'

daemonClientConformance(nodeClient, false)
