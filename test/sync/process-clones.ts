/** Clones of one bare remote, each run as real processes. */
import { join } from 'node:path'
import { createGriteSandbox, type GriteSandbox, griteIn } from '../contract/grite-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'

export interface ProcessClones {
  readonly origin: string
  /** Runs git in the remote. */
  inOrigin(...args: readonly string[]): string
  /** Clones the remote under a name. */
  clone(name: string, ...options: readonly string[]): GriteSandbox
  /** Head of the remote's log; empty when it has none. */
  originHead(): string
}

/** @param address - address of the remote in the clones; default its path */
export function createProcessClones(t: CleanUp, address?: (origin: string) => string): ProcessClones {
  const base = createGriteSandbox(t)
  const origin = join(base.dir, 'origin.git')
  base.git(base.dir, 'init', '-q', '--bare', '-b', 'main', '--template=', origin)
  const tree = base.gitWith('', origin, 'mktree')
  base.git(origin, 'update-ref', 'refs/heads/main', base.git(origin, 'commit-tree', '-m', 'first', tree))
  return {
    origin,
    inOrigin: (...args) => base.git(origin, ...args),
    clone(name, ...options) {
      const path = join(base.dir, name)
      base.git(base.dir, 'clone', '-q', ...options, address?.(origin) ?? origin, path)
      return griteIn(base, path)
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
