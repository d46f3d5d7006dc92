/** Columns of text, each as wide as its widest cell. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/** One line for the titles and one for each row; the last column is as long as it likes. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map(({title}) => title)
  const widths = columns.map(({title}, at) =>
    rows.reduce((width, row) => Math.max(width, row[at]?.length ?? 0), title.length),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map(({align}, at) => {
        const cell = cells[at] ?? ''
        const width = widths[at] ?? 0
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(GAP)
      .trimEnd()
  return [line(titles), ...rows.map(line)]
}

/** Names on the left, what is to be said of them on the right. */
export function factLines(facts: readonly (readonly [name: string, text: string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, text]) => `${name.padEnd(width)}${GAP}${text}`.trimEnd())
}
