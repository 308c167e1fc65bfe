/** Buffer slices that Node has had since 0.x but @types/node omits: half the cost of `toString(encoding, …)`. */
declare interface Buffer {
  latin1Slice(start?: number, end?: number): string
  utf8Slice(start?: number, end?: number): string
  hexSlice(start?: number, end?: number): string
}
