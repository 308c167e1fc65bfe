import type { InstallSkillData } from '../../commands/agents/install-skill.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'

export const renderInstallSkill: Renderer<InstallSkillData> = ({ path, action }, { quiet, style }) =>
  quiet ? '' : `${style.good(action === 'created' ? 'Wrote' : 'Replaced')} ${escapeLine(path)}\n`
