import type { SyncData } from '../../commands/sync/sync.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { Renderer } from './renderer.ts'

/** `Pulled 3 events / Pushed to origin` */
export const renderSync: Renderer<SyncData> = ({ message }, { quiet }) => (quiet ? '' : `${escapeLine(message)}\n`)
