/** What a workload gives to the commands that create, branch and merge streams. */
import { checkFacts, type Fields, type TextLabels, text, whole } from './fields.ts'

export interface StreamPlan {
  readonly streamId: string
  readonly labels: TextLabels
  /** As `stream create` and `stream branch` take them. */
  readonly options: { readonly reason: string; readonly label: readonly string[] }
}

/** A stream and the offset of one of its records. */
export interface Anchor {
  readonly streamId: string
  readonly offset: number
}

export interface BranchPlan extends StreamPlan {
  /** `<stream>@<offset>`: the parent, and the last record that the branch inherits. */
  readonly parent: string
  readonly parentId: string
  readonly options: StreamPlan['options'] & { readonly at: number }
}

export interface MergePlanFacts {
  /** The input of `stream merge`. */
  readonly input: {
    readonly stream: string
    /** `<stream>@<offset>`: each source, and its last record that is merged. */
    readonly source: readonly string[]
    readonly policy: string
    readonly reason: string
    readonly evidence: readonly string[]
  }
  readonly evidence: TextLabels
}

export function streamPlan(streamId: string, reason: string, labels: TextLabels): StreamPlan {
  return { streamId, labels, options: { reason, label: labelTexts(labels) } }
}

export function branchPlan(parent: Anchor, { options, ...plan }: StreamPlan): BranchPlan {
  const { streamId: parentId, offset: at } = parent
  return { ...plan, parent: formatAnchor(parent), parentId, options: { ...options, at } }
}

const anchorFields: Fields<Anchor> = { streamId: text, offset: whole }

/** @throws {InvalidArgsError} naming the field */
export function formatAnchor(anchor: Anchor): string {
  checkFacts(anchorFields, anchor)
  return `${anchor.streamId}@${anchor.offset}`
}

/** Labels as the options `label` and `evidence` take them: `<name>=<value>`. */
export function labelTexts(labels: TextLabels): readonly string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`)
}
