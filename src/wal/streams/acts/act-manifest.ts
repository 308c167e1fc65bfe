import {
  type Act,
  type AdoptedRow,
  countOfRow,
  encodeRow,
  leafOfRow,
  type Manifest,
  nextOffsetOf,
  PeakList,
  rangesOfRow,
} from '../../../model/streams/index.ts'
import type { StreamCommit } from '../stream-codec.ts'

type KnownAct = Exclude<Act, { readonly name: 'genesis' | 'unknown' }>

/** The commit of an act on top of another commit. Without rows it adds no records. */
export function commitOfAct(
  previous: Manifest,
  act: KnownAct,
  rows: readonly AdoptedRow[] = [],
  parentRoots: readonly Uint8Array[] = [],
): StreamCommit {
  const base: Manifest = {
    ...previous,
    ...{ commitCount: previous.commitCount + 1, firstOffset: nextOffsetOf(previous), count: 0, content: null, act },
  }
  return { manifest: withRows(base, rows, parentRoots), segment: null, tsUnixMs: act.ts }
}

/**
 * A manifest without content, with rows.
 *
 * @param parentRoots - roots of all parents of the commit, in their order
 */
export function withRows(
  manifest: Manifest,
  rows: readonly AdoptedRow[],
  parentRoots: readonly Uint8Array[],
): Manifest {
  if (rows.length === 0) return manifest
  const peaks = PeakList.of(manifest.entries, manifest.peaks)
  for (const row of rows) peaks.append(leafOfAdopted(row, parentRoots))
  return {
    ...manifest,
    count: rows.reduce((count, row) => count + countOfRow(row), 0),
    content: { kind: 'rows', rows },
    ...{ entries: peaks.entries, peaks: peaks.peaks },
  }
}

export function leafOfAdopted(row: AdoptedRow, parentRoots: readonly Uint8Array[]): Uint8Array {
  return leafOfRow(encodeRow(row), sourceRootsOf(row, parentRoots))
}

/** Roots of the parents that a row names, in its order. */
export function sourceRootsOf(row: AdoptedRow, parentRoots: readonly Uint8Array[]): readonly Uint8Array[] {
  return rangesOfRow(row).map(({ source }) => {
    const root = parentRoots[source]
    if (root === undefined) throw new RangeError(`a row names parent ${source} of ${parentRoots.length}`)
    return root
  })
}
