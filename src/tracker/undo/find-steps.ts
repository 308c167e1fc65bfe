/**
 * Which command an undo takes back, and which undo a redo: as in an editor, by the commands of one actor in the log.
 *
 * Invariants
 * - An undo takes back the newest command that still stands. A redo stands for the command that it brought back.
 * - A redo takes back the newest undo that was not redone, unless a new command came after it.
 */
import type { Oid } from '../../git/index.ts'
import type { Event, EventId } from '../../model/index.ts'
import { listOwnCommands, type OwnCommand } from '../../wal/index.ts'
import type { Draft } from '../draft.ts'
import type { Workspace } from '../workspace.ts'

export interface UndoStep {
  /** What is taken back. Not empty. */
  readonly events: readonly Event[]
  /** Newer events that cancel each other out (`UndoTargets`). */
  readonly neutral: ReadonlySet<EventId>
}

/** Commands to take back, newest first, at most so many. */
export async function findUndoSteps(repository: Workspace, draft: Draft, countMax: number): Promise<UndoStep[]> {
  const past = new Past()
  const steps: UndoStep[] = []
  for await (const command of ownCommands(repository, draft)) {
    const events = past.standing(command)
    if (events.length > 0) steps.push({ events, neutral: new Set(past.neutral) })
    if (steps.length === countMax) break
  }
  return steps
}

/** The undo to take back; undefined when there is none, or something was done since. */
export async function findRedoStep(repository: Workspace, draft: Draft): Promise<UndoStep | undefined> {
  const past = new Past()
  for await (const command of ownCommands(repository, draft)) {
    const isUndone = command.undoes !== null && !past.isRedone(command)
    const neutral = new Set(past.neutral)
    if (isUndone) return { events: command.events, neutral }
    // Also where it was undone and redone since: it stands after the undos before it.
    if (command.undoes === null && command.redoes === null) return undefined
    past.standing(command)
    // With the undo that it brought back it comes to nothing.
    if (command.redoes !== null) past.cancel(command)
  }
  return undefined
}

async function* ownCommands(repository: Workspace, draft: Draft): AsyncGenerator<OwnCommand> {
  const { head } = await draft.view()
  if (head !== null) yield* listOwnCommands(repository.git, head as Oid, draft.actor)
}

/** What the commands from the newest to the present one have said of those before them. */
class Past {
  readonly neutral = new Set<EventId>()
  readonly #redone = new Set<EventId>()

  isRedone({ events }: OwnCommand): boolean {
    return events.some(({ eventId }) => this.#redone.has(eventId))
  }

  cancel({ events }: OwnCommand): void {
    for (const { eventId } of events) this.neutral.add(eventId)
  }

  /** Events of a command that an undo would take back; none of an undo, whose own events do not stand for anything. */
  standing(command: OwnCommand): readonly Event[] {
    const { events, undoes, redoes } = command
    const standing = undoes === null ? events.filter(({ eventId }) => !this.neutral.has(eventId)) : []
    for (const id of undoes ?? []) this.neutral.add(id)
    if (command.undoes !== null) this.cancel(command)
    for (const id of redoes ?? []) this.#redone.add(id)
    return standing
  }
}
