/** Streams, terminals, feeds and every command with --json, through a daemon. */
import '../support/use-twin.ts'
import '../contract/json.test.ts'
import '../contract/record-streams.test.ts'
import '../contract/streams.test.ts'
import '../contract/terminal.test.ts'
import '../contract/watch.test.ts'
import '../contract/without-git.test.ts'
import '../reports/f8-watch-without-reader.test.ts'
import '../tracker/repeated-requests.test.ts'
import { requireServedByTwins } from '../support/daemon-twin.ts'

requireServedByTwins(30)
