import OlMap from 'ol/Map'
import type MapBrowserEvent from 'ol/MapBrowserEvent'
import View from 'ol/View'
import { ScaleLine, Zoom } from 'ol/control'
import { noModifierKeys, shiftKeyOnly } from 'ol/events/condition'
import { isEmpty } from 'ol/extent'
import { defaults, DragPan, MouseWheelZoom } from 'ol/interaction'
import { fromLonLat, transformExtent } from 'ol/proj'
import { onBeforeUnmount, onMounted, watch, type Ref } from 'vue'

import { language, t } from '@/i18n'

import { Drawing, type Shown } from './drawing'

/** The sheet's printable width and the map's height on it, in CSS pixels. */
const PRINTED: [number, number] = [716, 520]
const PADDING = [34, 62, 36, 34]
const CLOSEST = 12
const ANIMATION = 250

type Pointed = MapBrowserEvent<PointerEvent>

/** One finger scrolls the page and two move the map, so that a phone's reader gets past it; a mouse drags it. */
function drags(this: DragPan, event: Pointed): boolean {
  if (!noModifierKeys(event) && !shiftKeyOnly(event)) return false
  return event.originalEvent.pointerType !== 'touch' || this.getPointerCount() === 2
}

/** The wheel scrolls the page until the map is entered. */
function wheels(event: MapBrowserEvent): boolean {
  return event.map.getTargetElement()?.contains(document.activeElement) === true || event.originalEvent.ctrlKey
}

function controls(): (Zoom | ScaleLine)[] {
  return [
    new Zoom({ zoomInTipLabel: t('map.zoom_in'), zoomOutTipLabel: t('map.zoom_out') }),
    new ScaleLine({ units: 'metric', minWidth: 70 }),
  ]
}

/** Keeps a map in an element: outline, graticule, points and their titles, all from one answer; no other source. */
export function useMap(element: Ref<HTMLElement | undefined>, shown: () => Shown, choose: (site: string | null) => void) {
  const drawing = new Drawing(shown)
  let map: OlMap | undefined
  let framed: string | undefined

  /** Shows the whole city with all points. */
  function frame(duration = 0): void {
    const extent = drawing.extent()
    if (map && !isEmpty(extent)) map.getView().fit(extent, { padding: PADDING, maxZoom: CLOSEST, duration })
  }

  function arrange(): void {
    if (map) drawing.arrange(map)
  }

  function fill(): void {
    drawing.fill()
    // The reader's own view stays when only the day changes.
    if (framed !== shown().answer.medium) frame()
    framed = shown().answer.medium
    arrange()
  }

  /** Brings the chosen point into sight: the map moves only where it is out of it. */
  function follow(): void {
    const place = drawing.placeOf(shown().chosen ?? '')?.getCoordinates()
    const size = map?.getSize()
    arrange()
    const pixel = place && map?.getPixelFromCoordinate(place)
    if (!map || !place || !pixel || !size) return
    const [x, y] = pixel as [number, number]
    const inside = x > 40 && y > 30 && x < size[0]! - 60 && y < size[1]! - 30
    if (!inside) map.getView().animate({ center: place, duration: ANIMATION })
  }

  function sitesAt(event: MapBrowserEvent): string[] {
    const touch = (event.originalEvent as PointerEvent).pointerType === 'touch'
    const found = map!.getFeaturesAtPixel(event.pixel, {
      layerFilter: (layer) => layer === drawing.marks,
      hitTolerance: touch ? 10 : 3,
    })
    return found.map((feature) => String(feature.getId()))
  }

  /** A second click on marks that lie close together takes the next. */
  function clicked(event: MapBrowserEvent): void {
    const found = sitesAt(event)
    const place = found.indexOf(shown().chosen ?? '')
    choose(found.length === 0 ? null : found[(place + 1) % found.length]!)
  }

  function moved(event: MapBrowserEvent): void {
    if (event.dragging) return
    const found = sitesAt(event)[0]
    if (element.value) element.value.style.cursor = found ? 'pointer' : ''
    if (found === drawing.hovered) return
    drawing.hovered = found
    drawing.redraw()
  }

  function settled(): void {
    arrange()
    const size = map?.getSize()
    if (!map || !size || !element.value) return
    // Which part of the earth is shown: west, south, east, north.
    const extent = transformExtent(map.getView().calculateExtent(size), 'EPSG:3857', 'EPSG:4326')
    element.value.dataset['extent'] = extent.map((one) => one.toFixed(6)).join(',')
  }

  /** A sheet has its own size, and nothing is laid out again once it is printed. */
  function toPaper(): void {
    if (!map) return
    map.setSize([...PRINTED])
    frame()
    arrange()
    map.renderSync()
  }

  function fromPaper(): void {
    map?.updateSize()
    frame()
  }

  onMounted(() => {
    map = new OlMap({
      target: element.value,
      layers: drawing.layers,
      view: new View({ center: fromLonLat([120, 40.6]), zoom: 8, minZoom: 5, maxZoom: 18, enableRotation: false }),
      controls: controls(),
      interactions: defaults({ altShiftDragRotate: false, pinchRotate: false, dragPan: false, mouseWheelZoom: false }).extend([
        new DragPan({ condition: drags as (event: MapBrowserEvent) => boolean }),
        new MouseWheelZoom({ condition: wheels }),
      ]),
    })
    map.on('click', clicked)
    map.on('pointermove', moved)
    map.on('moveend', settled)
    map.on('change:size', settled)
    map.once('change:size', () => frame())
    map.once('rendercomplete', follow)
    fill()
    window.addEventListener('beforeprint', toPaper)
    window.addEventListener('afterprint', fromPaper)
    watch(() => shown().answer, fill)
    watch(() => shown().chosen, follow, { flush: 'post' })
    watch(language, () => {
      map!.getControls().clear()
      map!.getControls().extend(controls())
      arrange()
    })
  })
  onBeforeUnmount(() => {
    window.removeEventListener('beforeprint', toPaper)
    window.removeEventListener('afterprint', fromPaper)
    map?.setTarget(undefined)
    map?.dispose()
  })

  return { frame: () => frame(ANIMATION) }
}
