import type { CompletionData } from '../completion-command.ts'
import type { Renderer } from './renderer.ts'

/** Our own script for a shell, printed without escaping. */
export const renderCompletion: Renderer<CompletionData> = ({ script }) => script
