/** What the command line refuses and bounds, through a daemon. */
import './use-daemon.ts'
import '../../contract/bad-input.test.ts'
import '../../contract/limits.test.ts'
import '../../contract/config.test.ts'
