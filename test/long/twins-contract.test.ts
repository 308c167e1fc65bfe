/** The contract of the command line, through a daemon. Without damage.test.ts, which changes files below the open view. */
import '../support/use-twin.ts'
import '../contract/bad-input.test.ts'
import '../contract/config.test.ts'
import '../contract/human.test.ts'
import '../contract/limits.test.ts'
import '../contract/places.test.ts'
import '../contract/queries-page.test.ts'
import '../contract/tab-output.test.ts'
import { requireServedByTwins } from '../support/daemon-twin.ts'

requireServedByTwins(30)
