import type { AnyCommand } from '../../commands/define-command.ts'
import { daemonInstallLauncher } from './install-launcher.ts'
import { daemonLogs } from './logs.ts'
import { daemonStart } from './start.ts'
import { daemonStatus } from './status.ts'
import { daemonStop } from './stop.ts'

export const daemonCommands: readonly AnyCommand[] = [
  daemonStart,
  daemonStop,
  daemonStatus,
  daemonLogs,
  daemonInstallLauncher,
]
