import type { GitPort, RefName } from './port.ts'
import { progressOptions } from './progress-lines.ts'
import type { OnProgress } from './remote-port.ts'
import { createGitRunner } from './run-git.ts'

/** Writes a bundle of some refs, with all that they reach. Replaces an existing file at once, or not at all. */
export async function createBundle(
  { layout, environment }: GitPort,
  path: string,
  refs: readonly RefName[],
  onProgress?: OnProgress,
): Promise<void> {
  const input = Buffer.from(refs.map((ref) => `${ref}\n`).join(''), 'latin1')
  const options = onProgress === undefined ? [] : ['--progress']
  const words = ['bundle', 'create', ...options, path, '--stdin']
  await createGitRunner(layout, environment).run(words, { input, ...progressOptions(onProgress) })
}

/** The first line of a bundle (gitformat-bundle). */
export function isBundle(firstBytes: Uint8Array): boolean {
  return /^# v[23] git bundle\n/.test(Buffer.from(firstBytes.subarray(0, 16)).toString('latin1'))
}
