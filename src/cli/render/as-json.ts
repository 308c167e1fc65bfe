import { escapeJson } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'

export const renderAsJson: Renderer<unknown> = (data) => `${escapeJson(JSON.stringify(data, null, 2))}\n`
