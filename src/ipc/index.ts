export { buildId } from './build-id.ts'
export { DaemonConnection, type DaemonFacts, type Replies, type RequestEnd } from './daemon-connection.ts'
export { type Endpoint, endpointName, formatEndpoint, guessCommonDir, parseEndpoint, readEndpoint } from './endpoint.ts'
export {
  ask,
  encodeFrame,
  encodePart,
  type Frame,
  FrameReader,
  frameBytesMax,
  ignorableFrom,
  partBytesMax,
  protocolVersion,
  type Refusal,
  requestsMax,
  tell,
} from './frames.ts'
export { spawnDaemon } from './spawn-daemon.ts'
export {
  type AppendAnswer,
  type AppendRequest,
  appendAnswer,
  appendRequest,
  type PollAnswer,
  parseAppendAnswer,
  parseAppendRequest,
  parsePollAnswer,
  parseRecords,
  parseTailRequest,
  pollAnswer,
  type TailRequest,
  tailRequest,
  type WireDraft,
  type WireRecord,
  wireRecord,
} from './stream-frames.ts'
export { errorFromWire, errorToWire, type WireError } from './wire-errors.ts'
export {
  decodeWireValue,
  EncodedWireValue,
  encodeWireValue,
  type WireMap,
  WireSyntaxError,
  type WireValue,
  wireNumber,
  wireText,
} from './wire-values.ts'
