/** Record streams through the library. */
import { ConflictError, InvalidArgsError, NotFoundError, openRepository } from '../../src/library/index.ts'
import { judgeStreams } from '../conformance/repository-streams.ts'

judgeStreams({
  name: 'openRepository',
  open: openRepository,
  errors: { ConflictError, InvalidArgsError, NotFoundError },
})
