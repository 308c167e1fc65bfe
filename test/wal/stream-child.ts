// Run as its own process by the stream conformance suite: appends one text, and may kill itself on the way.
import { findRepository, openRepository, type PublishPoint } from '../../src/git/index.ts'
import { append, noQueue, type Segment } from '../../src/wal/index.ts'
import { issueTenant, recordTenant, refusingTexts, type Tenant, unitedTexts } from './tenants.ts'

export interface StreamOrder {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  /** Name of the tenant. */
  readonly tenant: string
  readonly text: string
  /** Where the process kills itself. */
  readonly dieAt: PublishPoint
}

async function run<Batch, Item, Sealed extends Segment<Item>>(
  { stream, batchOf }: Tenant<Batch, Item, Sealed>,
  { cwd, environment, text, dieAt }: StreamOrder,
): Promise<void> {
  const at = (point: PublishPoint) => {
    if (point === dieAt) process.kill(process.pid, 'SIGKILL')
  }
  const git = openRepository(await findRepository({ cwd, env: environment }), { environment, hooks: { at } })
  const target = { git, stream, queue: noQueue, clock: { nowUnixMs: Date.now }, jitter: () => 0 }
  await append(target, async () => batchOf([text]))
  await git.close()
}

const order = JSON.parse(process.argv[2] ?? '') as StreamOrder
if (order.tenant === issueTenant.name) await run(issueTenant, order)
else if (order.tenant === recordTenant.name) await run(recordTenant, order)
else await run(order.tenant === unitedTexts.name ? unitedTexts : refusingTexts, order)
