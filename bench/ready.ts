import { createHash } from 'node:crypto'
import type { IssueId } from '../src/model/index.ts'
import { readReadyQueue } from '../src/tracker/issues/ready-queue.ts'
import { openWorkspace, type Workspace } from '../src/tracker/workspace.ts'
import { type Bench, inRepository, ms, openFacts, verdict } from './bench.ts'
import { summarize } from './measure.ts'

const targetMs = 45

export const readyBench: Bench = {
  name: 'ready',
  question: `the ready queue of 10,000 issues with 20,000 edges, in this process: at most ${targetMs} ms`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const [issueCount, edgeCount, runs] = small ? [200, 400, 2] : [10_000, 20_000, 15]
      const facts = openFacts(cwd)
      const writer = await openWorkspace(facts)
      await fillWithEdges(writer, issueCount, edgeCount, facts.random.bytes)
      await writer.close()
      const times: number[] = []
      const processorTimes: number[] = []
      let digest = ''
      for (let run = 0; run < runs; run++) {
        // Other benches measure opening the view in a new process.
        const repository = await openWorkspace(facts)
        await repository.view()
        const before = process.cpuUsage()
        const start = process.hrtime.bigint()
        const { ready, blockedCount } = await readReadyQueue(repository)
        times.push(Number(process.hrtime.bigint() - start) / 1e6)
        const { user, system } = process.cpuUsage(before)
        processorTimes.push((user + system) / 1000)
        await repository.close()
        const ids = ready.map(({ row }) => row.issue_id).join('\n')
        digest = `${ready.length} ready, ${blockedCount} blocked, digest ${hash(ids)}`
      }
      const { median, min, max } = summarize(times)
      const processor = summarize(processorTimes)
      return [
        `${ms(median)} (min ${ms(min)}, max ${ms(max)}; target ${targetMs} ms): ${verdict(median <= targetMs)}`,
        `processor time ${ms(processor.median)} (min ${ms(processor.min)}), which depends less on other load`,
        digest,
      ]
    }),
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Stays within the limit of events per commit. */
const perWrite = 2000

/** Creates issues of all priorities, a quarter of them closed, and edges of both types from later issues to earlier ones. */
async function fillWithEdges(
  repository: Workspace,
  issueCount: number,
  edgeCount: number,
  randomBytes: (count: number) => Uint8Array,
): Promise<void> {
  const ids: IssueId[] = []
  for (let done = 0; done < issueCount; done += perWrite) {
    await repository.write(async (draft) => {
      for (let index = done; index < Math.min(done + perWrite, issueCount); index++) {
        const labels = [`area-${index % 40}`, ...(index % 6 === 0 ? [] : [`priority:P${index % 5}`])]
        const { issueId } = draft.createIssue({ title: `Issue ${index} about something`, body: 'Text', labels })
        ids.push(issueId)
        if (index % 4 === 0) await draft.add(issueId, { type: 'StateChanged', state: 'closed' })
      }
    })
  }
  const below = (bound: number) => Buffer.from(randomBytes(4)).readUInt32BE() % bound
  for (let done = 0; done < edgeCount; done += perWrite) {
    await repository.write(async (draft) => {
      for (let index = done; index < Math.min(done + perWrite, edgeCount); index++) {
        const later = 1 + below(issueCount - 1)
        const [waits, first] = [ids[later] as IssueId, ids[below(later)] as IssueId]
        if (index % 3 === 0) await draft.add(first, { type: 'DependencyAdded', target: waits, dep_type: 'blocks' })
        else await draft.add(waits, { type: 'DependencyAdded', target: first, dep_type: 'depends_on' })
      }
    })
  }
}
