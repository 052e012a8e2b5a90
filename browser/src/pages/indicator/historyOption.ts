import type { EChartsCoreOption } from 'echarts/core'

import type { Indicator, Kind, Reading, Target } from '@/api'
import { name, say, t } from '@/i18n'
import { breakSpans, isYear, runs } from '@/lib/runs'

const MARKS: Record<Kind, { colour: string; symbol: string; filled: boolean; dashed: boolean }> = {
  estimate: { colour: '#9a7b2d', symbol: 'circle', filled: false, dashed: true },
  reported: { colour: '#3f76ad', symbol: 'rect', filled: true, dashed: false },
  confirmed: { colour: '#2c6e49', symbol: 'circle', filled: true, dashed: false },
}

interface Dot {
  value: [number, number]
  words: string
  label?: { position: 'top' | 'bottom' }
}

function dotOf(point: Reading): Dot {
  const parts = [`${point.period} · ${name('kind', point.kind)}: ${point.text}`]
  const network = say(point.network_title) || point.network
  if (network) parts.push(`${t('table.network')}: ${network}`)
  if (point.document) parts.push(`${point.document} ${point.document_date ?? ''}`)
  return { value: [Number(point.period), point.value as number], words: parts.map(escape).join('<br>') }
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

/** Where a year has two figures, the higher one's stands above and the lower one's below. */
function sideOf(point: Reading, all: readonly Reading[]): 'top' | 'bottom' {
  const beside = all.find((one) => one !== point && one.period === point.period && one.value !== null)
  if (!beside) return 'top'
  const [own, other] = [point.value as number, beside.value as number]
  if (own === other) return point.kind === 'confirmed' ? 'bottom' : 'top'
  return own > other ? 'top' : 'bottom'
}

function readingSeries(indicator: Indicator): object[] {
  return runs(indicator.history, indicator.breaks).map((run) => {
    const kind = run[0]!.kind
    const mark = MARKS[kind]
    return {
      type: 'line',
      name: name('kind', kind),
      data: run.map((point) => ({ ...dotOf(point), label: { position: sideOf(point, indicator.history) } })),
      symbol: mark.symbol,
      symbolSize: 9,
      lineStyle: { color: mark.colour, width: 2, type: mark.dashed ? 'dashed' : 'solid' },
      itemStyle: { color: mark.filled ? mark.colour : '#ffffff', borderColor: mark.colour, borderWidth: 2 },
      label: { show: true, formatter: (of: { data: Dot; dataIndex: number }) => run[of.dataIndex]!.text, color: '#1f2a37', fontSize: 11 },
    }
  })
}

/** Whether the newest figures lie nearer to the target's line than the oldest: its words then stand at the beginning. */
function crowdedEnd(indicator: Indicator, target: Target): boolean {
  const years = indicator.history.filter((point) => isYear(point.period) && point.value !== null)
  const sorted = [...years].sort((left, right) => Number(left.period) - Number(right.period))
  const [first, newest] = [sorted[0], sorted[sorted.length - 1]]
  if (!first || !newest) return false
  const off = (point: Reading) => Math.abs((point.value as number) - (target.value as number))
  return off(newest) < off(first)
}

function targetSeries(indicator: Indicator): object[] {
  const known = indicator.targets.filter((target) => target.value !== null)
  const data: Dot[] = known.map((target) => ({
    value: [target.year, target.value as number],
    words: escape(`${target.year} · ${t('column.target')}: ${target.text} (${name('target', target.status)})`),
  }))
  const last = known.reduce<(typeof known)[number] | undefined>(
    (found, target) => (found === undefined || target.year >= found.year ? target : found),
    undefined,
  )
  if (data.length === 0 || last === undefined) return []
  return [
    {
      type: 'scatter',
      name: t('column.target'),
      data,
      symbol: 'diamond',
      symbolSize: 12,
      itemStyle: { color: '#a3302b' },
      markLine: {
        silent: true,
        symbol: 'none',
        lineStyle: { color: '#a3302b', type: 'dashed', width: 1.2 },
        label: {
          formatter: t('chart.target_line', { year: last.year, text: last.text }),
          position: crowdedEnd(indicator, last) ? 'insideStartTop' : 'insideEndTop',
          color: '#8a2622',
        },
        data: [{ yAxis: last.value }],
      },
    },
  ]
}

function breakSeries(indicator: Indicator): object[] {
  const spans = breakSpans(indicator.history, indicator.breaks)
  if (spans.length === 0) return []
  return [
    {
      type: 'scatter',
      data: [],
      markArea: {
        silent: true,
        itemStyle: { color: 'rgba(110, 120, 135, 0.13)' },
        label: { position: 'insideTop', color: '#55606e', fontSize: 11, overflow: 'break', width: 76, lineHeight: 14, backgroundColor: 'rgba(255, 255, 255, 0.7)' },
        data: spans.map((span) => [
          { name: t('chart.break', { reason: name('break.reason', span.reason) }), xAxis: Number(span.after) + 0.25 },
          { xAxis: Number(span.before) - 0.25 },
        ]),
      },
    },
  ]
}

function baselineSeries(indicator: Indicator): object[] {
  const found = indicator.baseline
  if (!found || found.value === null) return []
  // The plan's own baseline usually stands in the history already.
  if (indicator.history.some((point) => point.period === String(found.year) && point.value === found.value)) return []
  const words = escape(`${found.year} · ${t('column.baseline')}: ${found.text}`)
  return [
    {
      type: 'scatter',
      name: t('column.baseline'),
      data: [{ value: [found.year, found.value], words }],
      symbol: 'triangle',
      symbolSize: 11,
      itemStyle: { color: '#55606e' },
    },
  ]
}

/** The chart of an indicator's figures by year: only figures that may be compared are joined. */
export function historyOption(indicator: Indicator): EChartsCoreOption {
  const years = [
    ...indicator.history.filter((point) => isYear(point.period)).map((point) => Number(point.period)),
    ...indicator.targets.map((target) => target.year),
    ...(indicator.baseline ? [indicator.baseline.year] : []),
  ]
  return {
    aria: { enabled: true },
    grid: { left: 8, right: 16, top: 52, bottom: 8, containLabel: true },
    legend: { top: 0, itemGap: 18, itemWidth: 20, itemHeight: 12, textStyle: { color: '#1f2a37' } },
    tooltip: { trigger: 'item', formatter: (of: { data?: Dot }) => of.data?.words ?? '' },
    xAxis: {
      type: 'value',
      min: Math.min(...years) - 0.5,
      max: Math.max(...years) + 0.5,
      interval: 0.5,
      axisLabel: { formatter: (year: number) => (Number.isInteger(year) ? String(year) : '') },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      scale: true,
      name: say(indicator.unit),
      nameTextStyle: { align: 'left', color: '#55606e' },
      boundaryGap: ['8%', '14%'],
      splitLine: { lineStyle: { color: '#e9edf1' } },
    },
    series: [
      ...readingSeries(indicator),
      ...baselineSeries(indicator),
      ...targetSeries(indicator),
      ...breakSeries(indicator),
    ],
  }
}
