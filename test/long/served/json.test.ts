/** The contract of the command line, through a daemon. */
import './use-daemon.ts'
import '../../contract/json.test.ts'
