import type { Rendered } from '../../../src/cli/render/renderer.ts'
import type { Json } from '../../../src/model/index.ts'

/** Returns everything a renderer prints. */
export async function textOf(rendered: Rendered | Promise<Rendered>): Promise<string> {
  const output = await rendered
  if (typeof output === 'string') return output
  let text = ''
  for await (const piece of output) text += piece
  return text
}

/** A type with every member optional and every string literal widened to `string`. */
export type Parts<Type> = [Json] extends [Type] ? Type : PartsOfMember<Type>

type PartsOfMember<Type> = Type extends string
  ? string
  : Type extends object
    ? { readonly [Key in keyof Type]?: Parts<Type[Key]> }
    : Type

/** A renderer that accepts partial data, so that a test states only the data it needs. */
export function onParts<Data, View, Text>(renderer: (data: Data, view: View) => Text) {
  return (data: Parts<Data>, view: View): Text => renderer(data as Data, view)
}
