/** Where streams came from, and what came from them: pure walks over their summaries. */
import type { LineageParent } from '../../model/streams/index.ts'
import type { Position, StreamSummary } from '../../wal/streams/index.ts'

/** A stream beside its place in a walk. */
export interface Relative {
  /** Steps from the stream where the walk began; 1 is a parent or a child. */
  readonly depth: number
  /** The edge that leads to it, from the child's lineage. */
  readonly parent: LineageParent
  /** Null for a parent that is not in this clone. */
  readonly summary: StreamSummary | null
}

type Incarnate = Pick<StreamSummary, 'streamId' | 'incarnation'>

const keyOf = ({ streamId, incarnation }: Incarnate): string => `${incarnation} ${streamId}`

export class Lineages {
  readonly #byKey = new Map<string, StreamSummary>()
  readonly #children = new Map<string, { readonly child: StreamSummary; readonly parent: LineageParent }[]>()

  /** @param summaries - of one incarnation, the newest generation counts */
  constructor(summaries: readonly StreamSummary[]) {
    for (const summary of summaries) {
      const known = this.#byKey.get(keyOf(summary))
      if (known === undefined || known.generation < summary.generation) this.#byKey.set(keyOf(summary), summary)
    }
    for (const child of this.#byKey.values()) {
      for (const parent of child.parents) {
        const children = this.#children.get(keyOf(parent))
        if (children === undefined) this.#children.set(keyOf(parent), [{ child, parent }])
        else children.push({ child, parent })
      }
    }
  }

  get streams(): readonly StreamSummary[] {
    return [...this.#byKey.values()]
  }

  find(stream: Incarnate): StreamSummary | undefined {
    return this.#byKey.get(keyOf(stream))
  }

  /** Parents first, then theirs; each stream once, at its smallest depth. */
  ancestors(stream: StreamSummary): readonly Relative[] {
    return this.#walk(stream, (summary) =>
      summary.parents.map((parent) => ({ parent, summary: this.find(parent) ?? null })),
    )
  }

  /** Children first, then theirs; each stream once, at its smallest depth. */
  descendants(stream: StreamSummary): readonly Relative[] {
    return this.#walk(stream, (summary) => this.childrenOf(summary))
  }

  childrenOf(stream: Incarnate): readonly { readonly parent: LineageParent; readonly summary: StreamSummary }[] {
    return (this.#children.get(keyOf(stream)) ?? []).map(({ child, parent }) => ({ parent, summary: child }))
  }

  #walk(
    start: StreamSummary,
    next: (summary: StreamSummary) => readonly Omit<Relative, 'depth'>[],
  ): readonly Relative[] {
    const seen = new Set([keyOf(start)])
    const found: Relative[] = []
    let level: readonly StreamSummary[] = [start]
    for (let depth = 1; level.length > 0; depth++) {
      const below: StreamSummary[] = []
      for (const summary of level) {
        for (const step of next(summary)) {
          const key = keyOf(step.summary ?? step.parent)
          if (seen.has(key)) continue
          seen.add(key)
          found.push({ depth, ...step })
          if (step.summary !== null) below.push(step.summary)
        }
      }
      level = below
    }
    return found
  }

  /**
   * The position up to which two streams hold the same records by inheritance; its offset is the number of these records.
   * Null when they inherit nothing in common.
   */
  commonPrefix(left: StreamSummary, right: StreamSummary): Position | null {
    const bounds = new Map(this.#inherited(left).map((position) => [keyOf(position), position]))
    let best: Position | null = null
    for (const position of this.#inherited(right)) {
      const other = bounds.get(keyOf(position))
      if (other === undefined) continue
      const offset = Math.min(position.offset, other.offset)
      if (best === null || offset > best.offset) best = { ...position, offset }
    }
    return best
  }

  /** For the stream and each that it inherits from: the number of the records, from the first on, that it shares. */
  #inherited(stream: StreamSummary): readonly Position[] {
    const { streamId, incarnation, nextOffset } = stream
    const positions: Position[] = [{ streamId, incarnation, offset: nextOffset }]
    const seen = new Set([keyOf(stream)])
    let bound = nextOffset
    for (let child: StreamSummary | undefined = stream; child?.kind === 'branch'; ) {
      const parent: LineageParent | undefined = child.parents[0]
      if (parent === undefined || seen.has(keyOf(parent))) break
      seen.add(keyOf(parent))
      bound = Math.min(bound, parent.offset)
      positions.push({ streamId: parent.streamId, incarnation: parent.incarnation, offset: bound })
      child = this.find(parent)
    }
    return positions
  }
}
