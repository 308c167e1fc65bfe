import type { InstallSkillData } from '../../commands/agents/install-skill.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'

const verbs = { created: 'Wrote', updated: 'Replaced', unchanged: 'Nothing to change in' } as const

export const renderInstallSkill: Renderer<InstallSkillData> = ({ path, action }, { quiet, style }) => {
  if (quiet) return ''
  if (action !== 'skipped') return `${style.good(verbs[action])} ${escapeLine(path)}\n`
  return `${escapeLine(path)} was not changed: it has a section about grite that grite did not write\n`
}
