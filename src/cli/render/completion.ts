import type { CompletionData } from '../completion-command.ts'
import type { Renderer } from './renderer.ts'

/** Our own script, to be read by a shell: printed as it is. */
export const renderCompletion: Renderer<CompletionData> = ({ script }) => script
