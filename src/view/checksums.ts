/**
 * Checksums of a rows file: a polynomial over its words, which guards against accidents.
 *
 * A process that reads one list runs the loop below before V8 optimizes it. Over many bytes, compiling the same loop in
 * WebAssembly takes a third of the time. Files are read into its memory at once.
 */

/** Fewer bytes are not worth a compilation. */
const compiledBytesMin = 128 * 1024

/** @param bytes - a multiple of 4 */
export function checksum(bytes: Buffer): number {
  const isAligned = bytes.byteOffset % 4 === 0
  const source = isAligned ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
  const words = new Int32Array(source.buffer, source.byteOffset, source.length >> 2)
  const { length } = words
  const evenly = length - (length % 4)
  let sum = length
  let index = 0
  // Few operations, in few rounds.
  while (index < evenly) {
    sum = (sum * 31 + (words[index++] as number)) | 0
    sum = (sum * 31 + (words[index++] as number)) | 0
    sum = (sum * 31 + (words[index++] as number)) | 0
    sum = (sum * 31 + (words[index++] as number)) | 0
  }
  while (index < length) sum = (sum * 31 + (words[index++] as number)) | 0
  return sum
}

/** Memory for bytes whose checksums are to be known. */
export interface SummedMemory {
  readonly bytes: Buffer
  /**
   * The checksum of each block of the bytes as they are now.
   *
   * @param ends - of the blocks, multiples of 4
   */
  readonly sumsOf: (ends: readonly number[]) => number[]
}

/** @param length - a multiple of 4 */
export function openSummedMemory(length: number): SummedMemory {
  const compiled = length < compiledBytesMin ? undefined : openCompiled(length)
  const bytes = compiled?.bytes ?? Buffer.allocUnsafeSlow(length)
  const sumOf = compiled?.sumOf
  return {
    bytes,
    sumsOf(ends) {
      const sums: number[] = []
      let start = 0
      for (const end of ends) {
        sums.push(sumOf?.(start, end, (end - start) >> 2) ?? checksum(bytes.subarray(start, end)))
        start = end
      }
      return sums
    },
  }
}

/**
 * The checksum of each block.
 *
 * @param ends - of the blocks, the last of which is the end of the bytes. Multiples of 4
 */
export function checksumsOf(bytes: Buffer, ends: readonly number[]): number[] {
  if (bytes.length < compiledBytesMin)
    return ends.map((end, index) => checksum(bytes.subarray(ends[index - 1] ?? 0, end)))
  const memory = openSummedMemory(bytes.length)
  memory.bytes.set(bytes)
  return memory.sumsOf(ends)
}

/** The loop of `checksum` from byte `start` to `end` of the memory, from the sum `sum`. */
type SumOf = (start: number, end: number, sum: number) => number

/**
 *     (module
 *       (memory (export "m") 1)
 *       (func (export "f") (param $start i32) (param $end i32) (param $sum i32) (result i32)
 *         (block (loop
 *           (br_if 1 (i32.ge_u (local.get $start) (local.get $end)))
 *           (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load (local.get $start))))
 *           (local.set $start (i32.add (local.get $start) (i32.const 4)))
 *           (br 0)))
 *         (local.get $sum)))
 */
const compiledModule = [
  '0061736d01000000',
  '0108' + '0160037f7f7f017f',
  '0302' + '0100',
  '0503' + '010001',
  '0709' + '02' + '016d0200' + '01660000',
  '0a29' + '0127' + '00' + '02400340',
  '200020014f0d01' + '2002411f6c20002802006a2102' + '200041046a2100' + '0c00',
  '0b0b' + '20020b',
].join('')

const pageBytes = 64 * 1024

/** Missing in the types of Node. */
interface WebAssemblyParts {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly m: { readonly buffer: ArrayBuffer; grow(pages: number): void }
      readonly f: SumOf
    }
  }
}

/** Undefined where Node was started with --jitless, which has no WebAssembly. */
function openCompiled(length: number): { readonly bytes: Buffer; readonly sumOf: SumOf } | undefined {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyParts }
  if (WebAssembly === undefined) return undefined
  const { m, f } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(compiledModule, 'hex'))).exports
  m.grow(Math.ceil(length / pageBytes) - 1)
  return { bytes: Buffer.from(m.buffer, 0, length), sumOf: f }
}
