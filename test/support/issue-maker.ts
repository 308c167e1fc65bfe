import type { DependencyType, IssueId } from '../../src/model/index.ts'
import type { CommandRunner } from './command-runner.ts'

/** Creates issues and edges through commands. */
export function issueMaker({ run }: Pick<CommandRunner, 'run'>) {
  return {
    /** Creates an issue with this title and returns its id. */
    async create(title: string, input: Readonly<Record<string, unknown>> = {}): Promise<IssueId> {
      return ((await run('issue create', { title, ...input })) as { issue_id: IssueId }).issue_id
    },
    add: (issue: string, target: string, type?: DependencyType) => run('issue dep add', { issue, target, type }),
    remove: (issue: string, target: string, type?: DependencyType) => run('issue dep remove', { issue, target, type }),
  }
}
