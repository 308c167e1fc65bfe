import { escapeLine } from './escape-for-terminal.ts'
import { type IssueRelation, shorten } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

interface DependencyChangeData {
  readonly action: string
  readonly dep_type: string
  readonly event_id: string | null
  readonly issue_id: string
  readonly target: string
}

export const renderDependencyChange: Renderer<DependencyChangeData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const edge = `${style.accent(shorten(data.issue_id))} ${escapeLine(data.dep_type)} ${style.accent(shorten(data.target))}`
  if (data.event_id === null) return `Nothing to change: ${edge}\n`
  return `${style.good(data.action === 'removed' ? 'Removed' : 'Added')} ${edge}\n`
}

interface DependencyListData {
  readonly deps: readonly IssueRelation[]
  readonly direction: string
  readonly issue_id: string
}

export const renderDependencyList: Renderer<DependencyListData> = async ({ deps, direction, issue_id }, view) => {
  if (deps.length > 0) {
    return renderTable(
      deps,
      [
        { heading: 'ID', text: (dep) => shorten(dep.issue_id), paint: view.style.accent },
        { heading: 'Type', text: (dep) => dep.dep_type },
        { heading: 'Title', text: (dep) => dep.title, shrink: 1 },
      ],
      view,
    )
  }
  return view.quiet || view.width === null ? '' : `No ${direction} of ${shorten(issue_id)}\n`
}

interface DependencyOrderData {
  readonly issues: readonly {
    readonly issue_id: string
    readonly labels: readonly string[]
    readonly state: string
    readonly title: string
  }[]
}

export const renderDependencyOrder: Renderer<DependencyOrderData> = async ({ issues }, view) => {
  if (issues.length === 0) return view.quiet || view.width === null ? '' : 'No issues match.\n'
  return renderTable(
    issues,
    [
      { heading: 'ID', text: (issue) => shorten(issue.issue_id), paint: view.style.accent },
      { heading: 'State', text: (issue) => issue.state },
      { heading: 'Title', text: (issue) => issue.title, shrink: 1, widthMin: 16 },
      { heading: 'Labels', text: (issue) => issue.labels.join(', '), shrink: 2, paint: view.style.dim },
    ],
    view,
  )
}
