import { createIssue } from '../src/tracker/issues/changes.ts'
import { openSharedRepository } from '../src/tracker/shared-repository.ts'
import { Workspace } from '../src/tracker/workspace.ts'
import { type Bench, inRepository, ratio, verdict } from './bench.ts'
import { benchEnv } from './measure.ts'

const writers = 32
const targetRatio = 8

export const manyWritersBench: Bench = {
  name: 'writers',
  question: `${writers} writers in one process against one: at least ${targetRatio} times as many writes in a second`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const warn = () => {}
      const shared = await openSharedRepository(cwd, { env: benchEnv, warn, viewIdleMs: 1000 })
      const facts = {
        ...{ cwd, env: benchEnv, warn },
        clock: { nowUnixMs: Date.now },
        random: { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) },
        progress: () => ({ report() {}, end() {} }),
        identity: { actor: undefined, dataDir: undefined },
      }
      const write = async (): Promise<void> => {
        const workspace = new Workspace(shared, facts)
        await workspace.write((draft) =>
          createIssue(draft, { title: 'An issue', body: '', labels: ['area'], assignees: [], fields: [] }),
        )
        await workspace.close()
      }
      const perSecond = async (count: number, each: number): Promise<number> => {
        const start = process.hrtime.bigint()
        await Promise.all(
          Array.from({ length: count }, async () => {
            for (let index = 0; index < each; index++) await write()
          }),
        )
        return (count * each) / (Number(process.hrtime.bigint() - start) / 1e9)
      }
      await perSecond(1, 5)
      const one = await perSecond(1, small ? 5 : 100)
      const many = await perSecond(writers, small ? 2 : 50)
      await shared.close()
      const times = many / one
      return [
        `${ratio(many, one)} (target ${targetRatio}x): ${verdict(times >= targetRatio)}`,
        `${one.toFixed(0)} writes a second by one writer, ${many.toFixed(0)} by ${writers}`,
      ]
    }),
}
