/** The answer of the map. */

import type { Words } from './types'

export interface MapFactor {
  factor: string
  title: Words
  text: string
  unit: string | null
}

export interface MapPoint {
  site: string
  title: Words
  longitude: number | null
  latitude: number | null
  place: string | null
  place_title: Words | null
  role_titles: Words[]
  network: Words | null
  class: number | null
  word: Words
  colour: string
  main_pollutants: string | null
  edition: string | null
  clause: string | null
  missing: string | null
  note: Words | null
  factors: MapFactor[]
  simulated: boolean
}

export interface MapClass {
  /** Null stands for points without a verdict. */
  class: number | null
  title: Words
  colour: string
}

export interface MapAnswer {
  as_of: string
  medium: string
  media: { id: string; title: Words; points: number }[]
  period: { start: string; end: string; text: Words } | null
  /** GeoJSON in WGS-84; properties: adcode, title, level. */
  boundary: { type: 'FeatureCollection'; features: object[] } | null
  note: Words | null
  legend: MapClass[]
  points: MapPoint[]
  simulated?: boolean
}
