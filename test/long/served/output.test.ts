/** What the command line prints, through a daemon. */
import './use-daemon.ts'
import '../../contract/human.test.ts'
import '../../contract/streams.test.ts'
import '../../contract/tab-output.test.ts'
import '../../contract/watch.test.ts'
import '../../contract/places.test.ts'
