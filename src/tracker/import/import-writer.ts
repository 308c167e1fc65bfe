import type { Oid } from '../../git/index.ts'
import { type Event, encodeRecord, limits, type Sha256Hex } from '../../model/index.ts'
import { attachmentFolder, commitDate } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'

/** Appends many events as few commits, each within the limits of a batch. */
export class BatchWriter {
  readonly #repository: Workspace
  readonly #options: { readonly dryRun: boolean; readonly nowUnixMs: () => number }
  #events: Event[] = []
  #records: Uint8Array[] = []
  #bytes = 0
  #attachments = new Map<string, Uint8Array>()
  #commitCount = 0
  #head: Oid | null = null

  constructor(repository: Workspace, options: { readonly dryRun: boolean; readonly nowUnixMs: () => number }) {
    this.#repository = repository
    this.#options = options
  }

  get commitCount(): number {
    return this.#commitCount
  }

  /** The newest commit written, null before there is one. */
  get head(): Oid | null {
    return this.#head
  }

  /**
   * Adds events that belong together; they go into one commit if the limits allow.
   *
   * @param findContent - finds contents of attachments by SHA-256; the ones that these events use are stored with them
   */
  async add(
    events: readonly Event[],
    findContent?: (sha256: Sha256Hex) => Promise<Uint8Array | undefined>,
  ): Promise<void> {
    const records = events.map(encodeRecord)
    const bytes = records.reduce((sum, record) => sum + record.length, 0)
    const fits =
      this.#records.length + records.length <= limits.batchEventsMax && this.#bytes + bytes <= limits.batchBytesMax
    if (!fits) await this.#seal()
    for (const [index, record] of records.entries()) {
      const full = this.#records.length >= limits.batchEventsMax || this.#bytes + record.length > limits.batchBytesMax
      if (full) await this.#seal()
      const event = events[index] as Event
      this.#events.push(event)
      this.#records.push(record)
      this.#bytes += record.length
      if (event.body.type !== 'AttachmentAdded') continue
      const content = await findContent?.(event.body.sha256)
      if (content === undefined) continue
      this.#attachments.set(`${attachmentFolder}${event.body.sha256}`, content)
      this.#bytes += content.length
    }
  }

  /** Writes the remaining events. */
  async finish(): Promise<void> {
    await this.#seal()
  }

  /** Time and time zone of the caller. */
  #commitDate() {
    const nowUnixMs = this.#options.nowUnixMs()
    const { clock } = this.#repository.facts
    return commitDate(nowUnixMs, clock.offsetMinutesAt?.(nowUnixMs))
  }

  async #seal(): Promise<void> {
    const events = this.#events
    const [first] = events
    if (first === undefined) return
    const batch = {
      actor: first.actor,
      records: this.#records,
      firstTsUnixMs: first.tsUnixMs,
      extras: this.#attachments,
      date: this.#commitDate(),
    }
    this.#records = []
    this.#events = []
    this.#bytes = 0
    this.#attachments = new Map()
    const head = this.#options.dryRun ? null : await this.#repository.appendBatch(batch, events)
    if (head !== null) this.#head = head
    if (head !== null || this.#options.dryRun) this.#commitCount += 1
  }
}
