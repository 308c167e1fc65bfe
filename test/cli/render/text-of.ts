import type { Rendered } from '../../../src/cli/render/renderer.ts'
import type { Json } from '../../../src/model/index.ts'

/** What a renderer prints, whole. */
export async function textOf(rendered: Rendered | Promise<Rendered>): Promise<string> {
  const output = await rendered
  if (typeof output === 'string') return output
  let text = ''
  for await (const piece of output) text += piece
  return text
}

/** A type whose members may all be absent, and whose words may be any text. */
export type Parts<Type> = [Json] extends [Type] ? Type : PartsOfMember<Type>

type PartsOfMember<Type> = Type extends string
  ? string
  : Type extends object
    ? { readonly [Key in keyof Type]?: Parts<Type[Key]> }
    : Type

/** A renderer that takes parts of its data, so that a test states what it is about and nothing else. */
export function onParts<Data, View, Text>(renderer: (data: Data, view: View) => Text) {
  return (data: Parts<Data>, view: View): Text => renderer(data as Data, view)
}
