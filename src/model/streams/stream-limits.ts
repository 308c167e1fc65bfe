/** Limits of record streams (docs/format.md#limits). */
export const streamLimits = {
  idBytesMax: 512,
  cursorNameBytesMax: 256,
  producerIdBytesMax: 256,
  /** Stored record, unless the setting allows more. */
  recordBytesMax: 1024 * 1024,
  /** The most that the setting allows. */
  recordBytesCeiling: 8 * 1024 * 1024,
  /** Bytes of a stored record that do not count: its heads, timestamp, writer. */
  recordFrameBytesMax: 1024,
  /** Names and values together. */
  headerBytesMax: 64 * 1024,
  headersMax: 256,
  appendRecordsMax: 4096,
  appendBytesMax: 8 * 1024 * 1024,
  /** A segment may exceed these by one append, which is never split. */
  segmentBytesMax: 4 * 1024 * 1024,
  segmentRecordsMax: 8192,
  /** A larger segment is not decompressed. */
  rawSegmentBytesMax: 16 * 1024 * 1024,
  framePayloadBytesMax: 16 * 1024 * 1024,
  labelsMax: 64,
  labelKeyBytesMax: 256,
  labelValueBytesMax: 4096,
  mergeSourcesMax: 63,
  rowsMax: 1000,
  producersMax: 1000,
  /** Of those that stand for a request; they come and go, and must not push out the others. */
  requestProducersMax: 256,
  /** A larger manifest is not loaded. */
  manifestBytesMax: 4 * 1024 * 1024,
  /** An interleaved row notes the positions of its sources at each multiple of this number of records. */
  interleaveMarkRecords: 4096,
} as const
