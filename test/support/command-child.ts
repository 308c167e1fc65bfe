// A program that the crash tests run: runs commands and may kill itself.
import { commandRunner } from './command-runner.ts'
import { type DieAt, die, dieInPublish, dieInView } from './die-at.ts'

export interface CommandOrder {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly commands: readonly { readonly name: string; readonly input: Readonly<Record<string, unknown>> }[]
  readonly dieAt?: DieAt
}

const order = JSON.parse(process.argv[2] ?? '') as CommandOrder
const { dieAt } = order
dieInView(dieAt)

const runner = commandRunner({
  cwd: order.cwd,
  env: order.environment,
  atSync(point) {
    if (dieAt !== undefined && 'sync' in dieAt && dieAt.sync === point) die()
  },
  gitOptions: {
    hooks: { at: dieInPublish(dieAt) },
  },
})
for (const { name, input } of order.commands) {
  const data = await runner.run(name, input)
  process.stdout.write(`${JSON.stringify(data)}\n`)
}
