/** Compression of sealed segments: each is one zstd frame that states its size. */
import { StreamFormatError, streamLimits } from '../../model/streams/index.ts'

export interface Zstd {
  /** One frame of level 3, with the size of the content in its header. */
  compress(raw: Uint8Array): Uint8Array
  /**
   * @param rawSize - as the manifest states it
   * @throws {StreamFormatError} before memory is allocated, if the size is above the limit or the frame states another;
   * and on a damaged frame
   */
  decompress(stored: Uint8Array, rawSize: number): Uint8Array
}

/** Smallest results for the effort: higher levels take a multiple of the time for a few percent. */
const level = 3

/** The module has one memory, and must be initialized once. */
const loading: { zstd?: Promise<Zstd> } = {}

/** Loads the WebAssembly module, when the first segment needs it. @throws in a process without WebAssembly */
export function loadZstd(): Promise<Zstd> {
  loading.zstd ??= initialize()
  return loading.zstd
}

async function initialize(): Promise<Zstd> {
  if (!('WebAssembly' in globalThis)) throw new Error('compressed segments need WebAssembly, which --jitless turns off')
  const { init, compress, decompress } = await import('@bokuweb/zstd-wasm')
  await init()
  return {
    compress: (raw) => compress(raw, level),
    decompress: (stored, rawSize) => {
      checkFrame(stored, rawSize)
      const raw = decompressOrFail(decompress, stored)
      if (raw.length !== rawSize) throw new StreamFormatError(`the segment has ${raw.length} bytes, not ${rawSize}`)
      return raw
    },
  }
}

function decompressOrFail(decompress: (bytes: Uint8Array) => Uint8Array, stored: Uint8Array): Uint8Array {
  try {
    return decompress(stored)
  } catch {
    throw new StreamFormatError('the zstd frame is damaged')
  }
}

/** The module allocates what the header of the frame (RFC 8878 §3.1.1) states. */
function checkFrame(stored: Uint8Array, rawSize: number): void {
  if (rawSize > streamLimits.rawSegmentBytesMax)
    throw new StreamFormatError(`the segment has ${rawSize} bytes, more than ${streamLimits.rawSegmentBytesMax}`)
  const stated = contentSizeOf(stored)
  if (stated !== rawSize)
    throw new StreamFormatError(
      `the zstd frame states ${stated === undefined ? 'no size' : `${stated} bytes`}, not ${rawSize}`,
    )
}

/** Magic number, descriptor, window, dictionary id, content size. */
const headerBytesMax = 4 + 1 + 1 + 4 + 8
const magic = 0xfd2fb528
/** Bytes of the fields, by two bits of the descriptor. */
const dictionaryIdBytes = [0, 1, 2, 4] as const
const contentSizeBytes = [0, 2, 4, 8] as const

function contentSizeOf(stored: Uint8Array): number | undefined {
  if (stored.length < headerBytesMax) return contentSizeOf(padded(stored))
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  if (view.getUint32(0, true) !== magic) return undefined
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeCode = descriptor >> 6
  // A single segment has no window descriptor, and at least one byte for its size.
  const width = sizeCode === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeCode] as number)
  const start = 5 + (isSingleSegment ? 0 : 1) + (dictionaryIdBytes[descriptor & 3] as number)
  switch (width) {
    case 1:
      return view.getUint8(start)
    case 2:
      return view.getUint16(start, true) + 256
    case 4:
      return view.getUint32(start, true)
    case 8:
      return Number(view.getBigUint64(start, true))
    default:
      return undefined
  }
}

/** Short frames, so that every field can be read. */
function padded(stored: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerBytesMax)
  bytes.set(stored)
  return bytes
}
