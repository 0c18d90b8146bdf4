// The report as text: one aligned line per row.
import type { Row, Summary, Unit } from './report.ts'

/** What became of a measure. */
export type Result = { name: string; title: string } & ({ rows: Row[] } | { missing: string })

const HEAD = ['', 'Dharma', 'spread', 'against', '', 'spread', 'ratio']
const LEFT_ALIGNED = new Set([0, 3])
const GAP = '  '

/** Three digits say enough of a number that varies by tens of percent. */
function formatNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : 3)
}

function formatSpread({ low, high }: Summary): string {
  return `${formatNumber(low)}–${formatNumber(high)}`
}

const SYMBOLS: Record<Unit, string> = {
  ms: ' ms',
  bytes: ' B',
  'a second': '/s',
  percent: ' %',
  times: '×',
}

function formatValue({ median }: Summary, unit: Unit): string {
  return formatNumber(median) + SYMBOLS[unit]
}

function cellsOf({ name, unit, ours, against, peer, ratio }: Row): string[] {
  return [
    `  ${name}`,
    formatValue(ours, unit),
    formatSpread(ours),
    against,
    formatValue(peer, unit),
    formatSpread(peer),
    Number.isFinite(ratio) ? `${formatNumber(ratio)}×` : '–',
  ]
}

/** Medians, with the 10th to 90th percentile as the spread. */
export function formatTable(results: readonly Result[]): string {
  const rows = results.flatMap((result) => ('rows' in result ? result.rows.map(cellsOf) : []))
  const widths = HEAD.map((_, column) =>
    Math.max(...[HEAD, ...rows].map((cells) => cells[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return LEFT_ALIGNED.has(column) ? cell.padEnd(width) : cell.padStart(width)
      })
      .join(GAP)
      .trimEnd()
  const lines = [line(HEAD)]
  for (const result of results) {
    lines.push('', result.title)
    if ('missing' in result) lines.push(`  not measured: ${result.missing}`)
    else lines.push(...result.rows.map((row) => line(cellsOf(row))))
  }
  return lines.join('\n')
}
