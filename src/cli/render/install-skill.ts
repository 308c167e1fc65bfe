import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'

export const renderInstallSkill: Renderer<{ readonly path: string; readonly action: string }> = (
  { path, action },
  { quiet, style },
) => (quiet ? '' : `${style.good(action === 'created' ? 'Wrote' : 'Replaced')} ${escapeLine(path)}\n`)
