import type { DependencyType, IssueId } from '../../src/model/index.ts'
import type { CommandRunner } from './command-runner.ts'

/** Makes issues and edges as a user would. */
export function issueMaker({ run }: Pick<CommandRunner, 'run'>) {
  return {
    /** An issue with this title; gives its id. */
    async create(title: string, input: Readonly<Record<string, unknown>> = {}): Promise<IssueId> {
      return ((await run('issue create', { title, ...input })) as { issue_id: IssueId }).issue_id
    },
    add: (issue: string, target: string, type?: DependencyType) => run('issue dep add', { issue, target, type }),
    remove: (issue: string, target: string, type?: DependencyType) => run('issue dep remove', { issue, target, type }),
  }
}
