import type { Rendered } from '../../../src/cli/render/renderer.ts'

/** What a renderer prints, whole. */
export async function textOf(rendered: Rendered | Promise<Rendered>): Promise<string> {
  const output = await rendered
  if (typeof output === 'string') return output
  let text = ''
  for await (const piece of output) text += piece
  return text
}
