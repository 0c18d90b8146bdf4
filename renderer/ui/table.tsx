import { ArrowDown, ArrowUp } from 'lucide-react'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import './table.css'

/** Of every row, so that long tables draw only the rows in sight. Matches `.table td` in the style. */
const ROW_PX = 48
/** Rows drawn above and below those in sight. */
const SPARE_ROWS = 8
/** Up to here all rows are drawn: find-in-page and screen readers then see the whole table. */
const DRAWN_WHOLE = 60
/** Rows come and go in steps of so many, so that most steps of a wheel draw nothing anew. */
const STEP_ROWS = 4

export interface Column<T> {
  key: string
  title: string
  render: (row: T) => ReactNode
  /** What rows are ordered by; a column without it cannot be sorted. */
  sortBy?: (row: T) => string | number
  align?: 'end'
  /** Share of the width, as CSS has it. */
  width?: string
}

export interface Sort {
  key: string
  descending: boolean
}

/** Rows in the order of a column; equal ones stay as they were. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  { key, descending }: Sort,
): T[] {
  const sortBy = columns.find((column) => column.key === key)?.sortBy
  if (sortBy === undefined) return [...rows]
  const sign = descending ? -1 : 1
  return rows.toSorted((a, b) => {
    const x = sortBy(a)
    const y = sortBy(b)
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y)
    return sign * String(x).localeCompare(String(y))
  })
}

interface TableProps<T> {
  /** What the table is of. */
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string
  initialSort: Sort
  rowLook?: (row: T) => string
  /** The key of a row that is marked, and scrolled to when it becomes another. */
  chosen?: string | null
}

/** A table that sorts by its heads, and draws only what is in sight when it is long. */
export function Table<T>({
  label,
  columns,
  rows,
  rowKey,
  initialSort,
  rowLook,
  chosen = null,
}: TableProps<T>): ReactNode {
  const [sort, setSort] = useState(initialSort)
  const scroller = useRef<HTMLDivElement>(null)
  const [inSight, setInSight] = useState({ first: 0, last: DRAWN_WHOLE })
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort])
  const isLong = sorted.length > DRAWN_WHOLE

  useEffect(() => {
    const element = scroller.current
    if (!isLong || element === null) return
    const measure = (): void => {
      const top = STEP_ROWS * Math.floor(element.scrollTop / ROW_PX / STEP_ROWS)
      const first = Math.max(0, top - SPARE_ROWS)
      const last = top + Math.ceil(element.clientHeight / ROW_PX) + STEP_ROWS + SPARE_ROWS
      setInSight((now) => (now.first === first && now.last === last ? now : { first, last }))
    }
    measure()
    element.addEventListener('scroll', measure, { passive: true })
    return () => element.removeEventListener('scroll', measure)
  }, [isLong])

  const chosenAt = sorted.findIndex((row) => rowKey(row) === chosen)
  const latestAt = useRef(chosenAt)
  useEffect(() => {
    latestAt.current = chosenAt
  })
  useEffect(() => {
    const element = scroller.current
    if (chosen === null || element === null || latestAt.current === -1) return
    const topPx = latestAt.current * ROW_PX
    const isInSight =
      topPx >= element.scrollTop && topPx + 2 * ROW_PX <= element.scrollTop + element.clientHeight
    if (isLong && !isInSight) element.scrollTop = topPx - element.clientHeight / 2
  }, [chosen, isLong])

  const first = isLong ? Math.min(inSight.first, sorted.length) : 0
  const last = isLong ? Math.min(inSight.last, sorted.length) : sorted.length
  return (
    <div
      ref={scroller}
      className={isLong ? 'table-scroller table-long' : 'table-scroller'}
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <table className="table" aria-label={label} aria-rowcount={sorted.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head
                key={column.key}
                column={column}
                sort={sort.key === column.key ? sort : null}
                onSort={() =>
                  setSort({
                    key: column.key,
                    descending: sort.key === column.key && !sort.descending,
                  })
                }
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <Gap rows={first} />}
          {sorted.slice(first, last).map((row, index) => (
            <Row
              key={rowKey(row)}
              row={row}
              columns={columns}
              index={first + index + 2}
              isChosen={rowKey(row) === chosen}
              look={rowLook?.(row)}
            />
          ))}
          {last < sorted.length && <Gap rows={sorted.length - last} />}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps<T> {
  row: T
  columns: readonly Column<T>[]
  /** Of all rows, the head being the first. */
  index: number
  isChosen: boolean
  look: string | undefined
}

function PlainRow<T>({ row, columns, index, isChosen, look }: RowProps<T>): ReactNode {
  return (
    <tr aria-rowindex={index} aria-current={isChosen ? 'true' : undefined} className={look}>
      {columns.map((column) => (
        <td key={column.key} className={column.align === 'end' ? 'align-end' : undefined}>
          {column.render(row)}
        </td>
      ))}
    </tr>
  )
}

/** Those that stay in sight while the table moves are not drawn anew. */
const Row = memo(PlainRow) as typeof PlainRow

function Gap({ rows }: { rows: number }): ReactNode {
  return <tr aria-hidden="true" style={{ height: rows * ROW_PX }} />
}

function Head<T>({
  column,
  sort,
  onSort,
}: {
  column: Column<T>
  sort: Sort | null
  onSort: () => void
}): ReactNode {
  const order = sort === null ? 'none' : sort.descending ? 'descending' : 'ascending'
  return (
    <th
      scope="col"
      aria-sort={column.sortBy === undefined ? undefined : order}
      className={column.align === 'end' ? 'align-end' : undefined}
      style={{ width: column.width }}
    >
      {column.sortBy === undefined ? (
        column.title
      ) : (
        <button type="button" className="table-sort" onClick={onSort}>
          {column.title}
          {order === 'ascending' && <ArrowUp aria-hidden="true" />}
          {order === 'descending' && <ArrowDown aria-hidden="true" />}
        </button>
      )}
    </th>
  )
}
