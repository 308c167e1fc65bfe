/** Deterministic lines for `grite batch` that create issues. */
export function batchLines(count: number): string {
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      op: 'create',
      title: `Issue ${String(index).padStart(6, '0')}`,
      body: `Text of issue ${index}`,
      labels: [`area-${index % 40}`, ...(index % 100 === 0 ? ['rare'] : [])],
      priority: `P${index % 5}`,
    }),
  ).join('\n')
}
