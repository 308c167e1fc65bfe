/** Colours, chosen once by the environment and the stream; renderers only state the meaning of a text. */

export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly attention: (text: string) => string
  readonly accent: (text: string) => string
}

const same = (text: string) => text

export const plainStyle: Style = { bold: same, dim: same, good: same, bad: same, attention: same, accent: same }

/**
 * Whether to use colours, in this order: NO_COLOR (any text) disables; CLICOLOR_FORCE (not 0) enables; CLICOLOR=0 and
 * TERM=dumb disable; otherwise a terminal gets colours.
 */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false
  const forced = env.CLICOLOR_FORCE ?? ''
  if (forced !== '' && forced !== '0') return true
  if (env.CLICOLOR === '0' || env.TERM === 'dumb') return false
  return isTerminal
}

export async function openStyle(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): Promise<Style> {
  if (!wantsColor(env, isTerminal)) return plainStyle
  const { default: picocolors } = await import('picocolors')
  const { bold, dim, green, red, yellow, cyan } = picocolors.createColors(true)
  return { bold, dim, good: green, bad: red, attention: yellow, accent: cyan }
}
