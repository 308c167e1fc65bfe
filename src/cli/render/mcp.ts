import type { McpData } from '../mcp-command.ts'
import type { Renderer } from './renderer.ts'

/** Nothing: standard output has messages of the protocol only. */
export const renderMcp: Renderer<McpData> = () => ''
