/** What the context store knows that a session should begin with. */
import type { View } from '../../view/index.ts'
import { listProjectEntries } from '../context/project-keys.ts'
import { beginningOf } from './beginning-of.ts'
import type { PrimeFact } from './format-prime.ts'

const projectMax = 5
const filesMax = 5
/** Characters of a shown text. */
const textLengthMax = 120

export async function chooseFacts(
  view: View,
): Promise<{ readonly facts: readonly PrimeFact[]; readonly leftOut: number }> {
  const entries = (await listProjectEntries(view)).sort((a, b) => b.version.tsUnixMs - a.version.tsUnixMs)
  const { newest, count } = await view.newestFileContexts(filesMax)
  const project = entries
    .slice(0, projectMax)
    .map(({ key, value }) => ({ name: key, text: beginningOf(value, textLengthMax) }))
  const files = newest.map(({ body }) => ({ name: body.path, text: beginningOf(body.summary, textLengthMax) }))
  return { facts: [...project, ...files], leftOut: entries.length - project.length + count - files.length }
}
