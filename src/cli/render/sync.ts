import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'

interface SyncData {
  readonly message: string
  readonly remote: string
}

/** `Pulled 3 events / Pushed to origin` */
export const renderSync: Renderer<SyncData> = ({ message }, { quiet }) => (quiet ? '' : `${escapeLine(message)}\n`)
