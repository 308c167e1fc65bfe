/**
 * One open view of an actor, shared by every request of a process.
 *
 * Invariants
 * - A read returns a state that the log had during the read: it uses a snapshot taken after a catch-up that began after
 *   the request.
 * - A view is never closed while it has readers. A replaced view closes when its last reader is done.
 * - The view never gets ahead of the log: `follow` applies only events that the log already holds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Event } from '../model/index.ts'
import {
  catchUp,
  isStoreFailure,
  type OpenViewOptions,
  openRowsView,
  openView,
  type RowsUse,
  replaceOpenView,
  type View,
} from '../view/index.ts'

/** A view at one head. Reading through it after `release` is an error. */
export interface ViewReader {
  readonly view: View
  /** Idempotent. */
  readonly release: () => Promise<void>
}

/** How a request opens and catches up its view, and the callbacks for what that finds. */
export type ReadOptions = OpenViewOptions & {
  readonly onNewEvents?: (events: readonly Event[]) => void
  /** For a view over the rows files, on which a read may fail; see `isNotInRows`. */
  readonly rowsUse?: RowsUse | undefined
}

/** The other process polls for the lock of the view more often than that. Milliseconds. */
const awayMs = 200
/** A reader that takes longer keeps the view from another process. Milliseconds. */
const lastReadersMsMax = 200

interface OpenedView {
  readonly view: View
  /** Over the rows files. */
  readonly isRows: boolean
  readers: number
  /** Called when the last reader is done. */
  onUnused?: () => void
}

export class ViewLease {
  /** How long a view without readers stays open, in milliseconds; null for until `closeIfUnused`. */
  readonly #idleMs: number | null
  #current: OpenedView | undefined
  #idle: NodeJS.Timeout | undefined
  #awayUntilMs = 0
  /** Serializes opening, changing and closing the view. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(idleMs: number | null) {
    this.#idleMs = idleMs
  }

  /** Returns a view at the current head of the log, valid until it is released. */
  read(options: ReadOptions): Promise<ViewReader> {
    return this.#inTurn(async () => this.#register(await this.#openCaughtUp(options)))
  }

  /**
   * Replaces the present view by one that `make` builds from the log, and reads it.
   *
   * @param make - receives the present view if it has readers; otherwise that view is closed, with its files in place
   */
  replace<Made extends { readonly view: View }>(
    make: (present: View | undefined) => Promise<Made>,
  ): Promise<Made & ViewReader> {
    return this.#inTurn(async () => {
      await this.#closeIfUnused()
      const made = await make(this.#current?.view)
      return { ...made, ...(await this.#register(await this.#install(made.view))) }
    })
  }

  /** Changes the notes that the view keeps beside the log, at the current head. Existing readers do not see the change. */
  change<Result>(options: ReadOptions, work: (view: View) => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      const { view } = await this.#openCaughtUp(options)
      const result = await work(view)
      await view.flush()
      this.#closeWhenIdle()
      return result
    })
  }

  /**
   * Applies new events on top of `parent` to an open view at that head. Any other view reads them from the log on its next
   * use.
   */
  async follow(parent: string | null, apply: (view: View) => Promise<void>): Promise<void> {
    // No view is open or being opened.
    if (this.#current === undefined) return
    await this.#inTurn(async () => {
      const opened = this.#current
      if (opened === undefined || opened.isRows || opened.view.head !== parent) return
      try {
        await apply(opened.view)
        await opened.view.flush()
      } catch {
        // The log has the events. The next reader reopens the view and reports the problem.
        await this.#dismiss(opened)
      }
    })
  }

  /**
   * Closes the view for another process when its present readers are done, and stays away from it for a while. Further
   * readers wait.
   *
   * @returns whether it is closed; a view with a reader that takes long stays open
   */
  async yield(): Promise<boolean> {
    return this.#inTurn(async () => {
      await this.#waitForReaders()
      await this.#closeIfUnused()
      if (this.#current !== undefined) return false
      this.#awayUntilMs = performance.now() + awayMs
      return true
    })
  }

  /** Frees memory that the view needs only for the next change. */
  async rest(): Promise<void> {
    if (this.#current !== undefined) await this.#inTurn(async () => this.#current?.view.forgetStates())
  }

  /** Closes the view for other processes, unless it has readers. */
  async closeIfUnused(): Promise<void> {
    if (this.#current !== undefined) await this.#inTurn(() => this.#closeIfUnused())
  }

  /** Closes the view even if it has readers. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#inTurn(async () => {
      const opened = this.#current
      this.#current = undefined
      await opened?.view.close()
    })
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #openCaughtUp(options: ReadOptions): Promise<OpenedView> {
    const opened = this.#current
    if (opened === undefined) return (await this.#openRows(options)) ?? this.#install(await this.#open(options))
    if (opened.isRows) {
      await this.#dismiss(opened)
      return this.#install(await this.#open(options))
    }
    opened.view.listen(options.onNewEvents)
    try {
      const outcome = await catchUp({ ...options, view: opened.view })
      if (outcome !== 'rebuild-needed' && outcome !== 'read-only') return opened
    } catch (error) {
      if (!isStoreFailure(error)) throw error
    } finally {
      opened.view.listen(undefined)
    }
    if (opened.readers > 0) return this.#install(await replaceOpenView(options, opened.view))
    // The next opener finds the problem itself.
    await this.#dismiss(opened)
    return this.#install(await this.#open(options))
  }

  async #openRows(options: ReadOptions): Promise<OpenedView | undefined> {
    const { rowsUse } = options
    const view = rowsUse && (await openRowsView({ ...options, rowsUse }))
    return view && this.#install(view, true)
  }

  async #open(options: ReadOptions): Promise<View> {
    await this.#stayAway()
    const view = await openView(options)
    view.listen(undefined)
    return view
  }

  /** The first use of `performance` loads 2 ms of Node, so only after a view was yielded. */
  async #stayAway(): Promise<void> {
    if (this.#awayUntilMs === 0) return
    const waitMs = this.#awayUntilMs - performance.now()
    this.#awayUntilMs = 0
    if (waitMs > 0) await sleep(waitMs)
  }

  async #install(view: View, isRows = false): Promise<OpenedView> {
    const before = this.#current
    const opened = { view, isRows, readers: 0 }
    if (this.#idleMs !== null) view.keepList()
    this.#current = opened
    if (before !== undefined) await this.#dismiss(before)
    return opened
  }

  async #dismiss(opened: OpenedView): Promise<void> {
    if (this.#current === opened) this.#current = undefined
    if (opened.readers === 0) await opened.view.close()
  }

  async #register(opened: OpenedView): Promise<ViewReader> {
    await opened.view.flush()
    clearTimeout(this.#idle)
    opened.readers += 1
    const view = opened.view.snapshot()
    let released: Promise<void> | undefined
    const release = () => {
      released ??= this.#release(opened, view)
      return released
    }
    return { view, release }
  }

  /** Releasing a reader does not wait for a turn, so it may happen inside one. */
  async #release(opened: OpenedView, view: View): Promise<void> {
    await view.close()
    opened.readers -= 1
    if (opened.readers > 0) return
    opened.onUnused?.()
    if (opened === this.#current) this.#closeWhenIdle()
    else await opened.view.close()
  }

  /** Inside a turn, so that no reader comes. */
  async #waitForReaders(): Promise<void> {
    const opened = this.#current
    if (opened === undefined || opened.readers === 0) return
    const isOver = new AbortController()
    opened.onUnused = () => isOver.abort()
    await sleep(lastReadersMsMax, undefined, { signal: isOver.signal }).catch(() => {})
    delete opened.onUnused
  }

  async #closeIfUnused(): Promise<void> {
    const opened = this.#current
    if (opened === undefined || opened.readers > 0) return
    clearTimeout(this.#idle)
    await this.#dismiss(opened)
  }

  #closeWhenIdle(): void {
    if (this.#idleMs === null || (this.#current?.readers ?? 1) > 0) return
    clearTimeout(this.#idle)
    // Each read starts it again, so it is a plain timer: an abort makes an exception each time.
    this.#idle = setTimeout(() => void this.closeIfUnused().catch(() => {}), this.#idleMs).unref()
  }
}
