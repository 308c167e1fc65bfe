/** The commands by which an actor wrote to the log, newest first: what stood in one commit, told apart by its meta.json. */
import type { GitPort, Oid } from '../../git/index.ts'
import { type ActorId, type Event, type EventId, isCardEvent, Mismatch, shape } from '../../model/index.ts'
import { readLog } from '../read-log.ts'
import type { IssueSegment } from './issue-codec.ts'
import { issueLog } from './issue-log.ts'
import { readBareCommit } from './read-bare-commit.ts'

/** Commits read in one go: few at first, since what is looked for is mostly near the head. */
const windowFirst = 8
const windowMax = 2048

export interface OwnCommand {
  /** Its events, in the order of the log. Not empty. */
  readonly events: readonly Event[]
  /** Events that it took back; null for a command that is no undo. */
  readonly undoes: readonly EventId[] | null
  /** Events of an undo that it took back; null for a command that is no redo. */
  readonly redoes: readonly EventId[] | null
}

/**
 * Commands of an actor, newest first. Actor cards, which travel with the first events, are left out. A commit without notes
 * of its requests is one command.
 *
 * Reads from the head backwards, no further than its caller asks.
 */
export async function* listOwnCommands(git: GitPort, head: Oid, actor: ActorId): AsyncGenerator<OwnCommand> {
  let size = windowFirst
  for (let tip: Oid | null = head; tip !== null; size = Math.min(size * 4, windowMax)) {
    const end = await findAncestor(git, tip, size)
    const commands: OwnCommand[] = []
    for await (const segments of readLog(git, issueLog, { head: tip, exclude: end === null ? [] : [end] })) {
      for (const segment of segments) commands.push(...commandsOf(segment, actor))
    }
    yield* commands.reverse()
    tip = end
  }
}

const ids = shape.list(shape.text())
const noteShape = shape.table({ events: ids, undoes: shape.nullable(ids), redoes: shape.nullable(ids) })

/** In the order of the log. */
function commandsOf({ items, carries }: IssueSegment, actor: ActorId): OwnCommand[] {
  const rest = new Map<string, Event>()
  for (const { event } of items) if (event.actor === actor && !isCardEvent(event)) rest.set(event.eventId, event)
  const commands: OwnCommand[] = []
  for (const found of rest.size === 0 ? [] : carries.requests) {
    const note = noteShape(found)
    if (note instanceof Mismatch) continue
    const events = note.events.flatMap((id) => rest.get(id) ?? [])
    for (const { eventId } of events) rest.delete(eventId)
    if (events.length === 0) continue
    commands.push({
      events,
      undoes: note.undoes as readonly EventId[] | null,
      redoes: note.redoes as readonly EventId[] | null,
    })
  }
  if (rest.size > 0) commands.unshift({ events: [...rest.values()], undoes: null, redoes: null })
  return commands
}

/** The commit so many generations back; null when the chain ends, or cannot be read, before it. */
async function findAncestor(git: GitPort, from: Oid, generations: number): Promise<Oid | null> {
  return generations > windowFirst ? listToAncestor(git, from, generations) : readToAncestor(git, from, generations)
}

/** A list costs the start of git, and then a tenth of single reads. */
async function listToAncestor(git: GitPort, from: Oid, generations: number): Promise<Oid | null> {
  let next: Oid | undefined = from
  let generation = 0
  for await (const commits of git.listCommits({ head: from })) {
    for (const { oid, parents, problem } of commits) {
      if (oid !== next) continue
      if (problem !== null) return null
      if (generation === generations) return oid
      generation += 1
      next = parents[0]
    }
    if (next === undefined) return null
  }
  return null
}

async function readToAncestor(git: GitPort, from: Oid, generations: number): Promise<Oid | null> {
  let oid: Oid = from
  for (let generation = 0; generation < generations; generation++) {
    const parent = await readParent(git, oid)
    if (parent === null) return null
    oid = parent
  }
  // One that is not here cannot be excluded.
  return (await readBareCommit(git, oid)) === null ? null : oid
}

async function readParent(git: GitPort, oid: Oid): Promise<Oid | null> {
  return (await readBareCommit(git, oid))?.parents[0] ?? null
}
