import type { EChartsCoreOption } from 'echarts/core'

import type { Grain, SeriesData } from '@/api'
import { say, t } from '@/i18n'
import { formatUnit, formatValue } from '@/lib/format'
import { flagMarks, lineOf } from '@/lib/series'
import { formatTime } from '@/lib/time'

/** From here on a line is thinned to the screen's width when it is drawn; the table keeps every point. */
const DENSE = 4000

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

interface Hovered {
  seriesType?: string
  value: [number, number | null]
  data?: { flag?: string }
}

export function flagTitle(data: SeriesData, flag: string | null): string {
  if (flag === null) return ''
  return say(data.flags?.[flag]) || flag
}

/** The chart of one series: valid values joined where nothing is missing, flagged values as marks. */
export function seriesOption(data: SeriesData, title: string, grain: Grain): EChartsCoreOption {
  const line = lineOf(data.points, grain, data.flags)
  const marks = flagMarks(data.points)
  const words = (hovered: Hovered): string => {
    const [time, value] = hovered.value
    const flag = hovered.data?.flag
    const parts = [formatTime(new Date(time).toISOString().slice(0, 19), grain), `<b>${formatValue(value)}</b> ${escape(formatUnit(data.unit))}`]
    if (flag) parts.push(escape(flagTitle(data, flag)))
    return parts.join('<br>')
  }
  return {
    useUTC: true,
    aria: { enabled: true },
    grid: { left: 8, right: 20, top: 54, bottom: 64, containLabel: true },
    legend: { top: 0, data: [title, ...(marks.length > 0 ? [t('series.flagged')] : [])] },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'line' },
      formatter: (found: Hovered[]) => found.filter((one) => one.value[1] !== null).map(words).join('<br>'),
    },
    dataZoom: [
      { type: 'inside' },
      { type: 'slider', height: 22, bottom: 14 },
    ],
    xAxis: { type: 'time', axisLabel: { hideOverlap: true } },
    yAxis: {
      type: 'value',
      scale: true,
      name: formatUnit(data.unit),
      nameTextStyle: { align: 'left', color: '#55606e' },
      splitLine: { lineStyle: { color: '#e9edf1' } },
    },
    series: [
      {
        type: 'line',
        name: title,
        data: line,
        connectNulls: false,
        showSymbol: line.length <= 60,
        symbolSize: 5,
        sampling: line.length > DENSE ? 'lttb' : undefined,
        lineStyle: { width: 1.3, color: '#24609b' },
        itemStyle: { color: '#24609b' },
      },
      {
        type: 'scatter',
        name: t('series.flagged'),
        data: marks,
        symbol: 'diamond',
        symbolSize: 8,
        itemStyle: { color: '#ffffff', borderColor: '#96580a', borderWidth: 1.5 },
      },
    ],
  }
}
