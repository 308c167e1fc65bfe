/** Whether GRITE_NO_MAINTENANCE says that nothing is to be tidied up beside a command. */
export function isMaintenanceOff({ GRITE_NO_MAINTENANCE = '' }: Readonly<Record<string, string | undefined>>): boolean {
  return GRITE_NO_MAINTENANCE !== ''
}
