/** Returns a beads tracker with this many issues. */
export function trackerOf(count: number): string {
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.UTC(2025, 0, 1, 0, 0, index)).toISOString()
    return JSON.stringify({
      id: `bd-${index}`,
      title: `Issue ${index}`,
      status: 'open',
      created_at: at,
      updated_at: at,
    })
  }).join('\n')
}
