import { BarChart, LineChart, ScatterChart } from 'echarts/charts'
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from 'echarts/components'
import { init, use, type ECharts, type EChartsCoreOption } from 'echarts/core'
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers'
import { onBeforeUnmount, onMounted, watch, type Ref } from 'vue'

import { isChinese } from '@/i18n'

import { FONT } from './fonts'

use([
  LineChart,
  ScatterChart,
  BarChart,
  GridComponent,
  TooltipComponent,
  LegendComponent,
  DataZoomComponent,
  MarkAreaComponent,
  MarkLineComponent,
  AriaComponent,
  CanvasRenderer,
  SVGRenderer,
])

/**
 * Keeps a chart in an element: drawn again when its option changes, fitted when the element changes its size.
 *
 * Few points are drawn as `svg`, which prints sharp and can be read; thousands as `canvas`.
 */
export function useChart(
  element: Ref<HTMLElement | undefined>,
  option: () => EChartsCoreOption,
  renderer: 'canvas' | 'svg' = 'canvas',
): void {
  let chart: ECharts | undefined
  let watcher: ResizeObserver | undefined

  function fit(): void {
    chart?.resize()
  }

  function show(next: EChartsCoreOption): void {
    chart?.setOption({ animation: false, textStyle: { fontFamily: FONT }, ...next }, true)
  }

  /** The words on a time axis are chosen when a chart begins: by the page's language, not the browser's. */
  function begin(): void {
    chart?.dispose()
    chart = init(element.value, null, { renderer, locale: isChinese.value ? 'ZH' : 'EN' })
    show(option())
  }

  onMounted(() => {
    if (!element.value) return
    begin()
    watcher = new ResizeObserver(fit)
    watcher.observe(element.value)
    window.addEventListener('beforeprint', fit)
    watch(option, show)
    watch(isChinese, begin)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('beforeprint', fit)
    watcher?.disconnect()
    chart?.dispose()
  })
}
