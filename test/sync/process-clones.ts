/** Clones of one bare remote that run whole lines of grite. */
import { join } from 'node:path'
import { createGriteSandbox, createLineSandbox, type GriteSandbox } from '../contract/grite-process.ts'
import { type CleanUp, createEmptyRepository } from '../git/temp-repository.ts'

export interface ProcessClones {
  readonly origin: string
  /** Runs git in the remote. */
  inOrigin(...args: readonly string[]): string
  /** Clones the remote under a name. */
  clone(name: string, ...options: readonly string[]): GriteSandbox
  /** Head of the remote's log; empty when it has none. */
  originHead(): string
}

/** Address of the remote in the clones; default its path. */
type Address = (origin: string) => string

/** Each line is a process. */
export function createProcessClones(t: CleanUp, address?: Address): ProcessClones {
  return clonesOf(createGriteSandbox(t), address)
}

/** As `createProcessClones`, for tests of what lines do: they run in a thread of this process. */
export function createLineClones(t: CleanUp, address?: Address): ProcessClones {
  return clonesOf(createLineSandbox(t), address)
}

function clonesOf(base: GriteSandbox, address: Address | undefined): ProcessClones {
  const origin = join(base.dir, 'origin.git')
  createEmptyRepository(origin, 'bare')
  const tree = base.gitWith('', origin, 'mktree')
  base.git(origin, 'update-ref', 'refs/heads/main', base.git(origin, 'commit-tree', '-m', 'first', tree))
  return {
    origin,
    inOrigin: (...args) => base.git(origin, ...args),
    clone(name, ...options) {
      const path = join(base.dir, name)
      base.git(base.dir, 'clone', '-q', ...options, address?.(origin) ?? origin, path)
      return base.inDirectory(path)
    },
    originHead: () => base.git(origin, 'for-each-ref', '--format=%(objectname)', 'refs/grite/wal'),
  }
}

/** Titles of a clone's issues, sorted. */
export function titlesIn(clone: GriteSandbox): string[] {
  return clone
    .data('issue', 'list', '--fields=title')
    .issues.map(({ title }: { title: string }) => title)
    .sort()
}
