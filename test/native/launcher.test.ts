import { daemonClientConformance } from '../conformance/daemon-client.ts'
import { whyNoCompiler } from './compile-launcher.ts'
import { launcherClient } from './launcher-client.ts'

daemonClientConformance(launcherClient, whyNoCompiler)
