import { address, get, post, postForm, remove } from './client'
import type * as T from './types'

export * from './types'
export { asProblem, Problem } from './problem'

type Signal = AbortSignal | undefined

export interface SeriesQuery {
  site: string
  factor: string
  grain: string
  basis: string
  start?: string
  end?: string
  as_of?: string
}

export interface CalendarQuery {
  place?: string
  site?: string
  year: number
  as_of?: string
}

const id = encodeURIComponent

export const api = {
  meta: (signal?: Signal) => get<T.Meta>('/meta', {}, signal),
  board: (asOf?: string, signal?: Signal) => get<T.Board>('/board', { as_of: asOf }, signal),
  indicator: (name: string, asOf?: string, signal?: Signal) =>
    get<T.Indicator>(`/indicators/${id(name)}`, { as_of: asOf }, signal),
  confirm: (name: string, entry: T.Entry) => post<T.Indicator>(`/indicators/${id(name)}/confirmed`, entry),
  issueTarget: (name: string, entry: T.Entry) => post<T.Indicator>(`/indicators/${id(name)}/targets`, entry),
  withdraw: (name: string, what: 'confirmed' | 'targets', year: number, note: string) =>
    remove<T.Indicator>(`/indicators/${id(name)}/${what}/${year}`, { note }),
  evaluate: (asOf?: string) => post<{ job: string | T.Job }>('/evaluations', asOf ? { as_of: asOf } : {}),
  job: (name: string, signal?: Signal) => get<T.Job>(`/jobs/${id(name)}`, {}, signal),
  sites: (signal?: Signal) => get<T.Site[]>('/sites', {}, signal),
  factors: (signal?: Signal) => get<T.Factor[]>('/factors', {}, signal),
  series: (site?: string, signal?: Signal) => get<T.Series[]>('/series', { site }, signal),
  firstSeries: (grain?: string, signal?: Signal) => get<T.Series[]>('/series', { grain, limit: 1 }, signal),
  seriesData: (query: SeriesQuery, signal?: Signal) => get<T.SeriesData>('/series/data', { ...query }, signal),
  seriesFile: (query: SeriesQuery) => address('/series/data.csv', { ...query }),
  calendar: (query: CalendarQuery, signal?: Signal) => get<T.Calendar>('/air/calendar', { ...query }, signal),
  map: (medium?: string, asOf?: string, signal?: Signal) => get<T.MapAnswer>('/map', { medium, as_of: asOf }, signal),
  imports: (signal?: Signal) => get<T.Import[]>('/imports', {}, signal),
  import: (name: string, signal?: Signal) => get<T.Import>(`/imports/${id(name)}`, {}, signal),
  startImport: (form: FormData) => postForm<T.Import>('/imports', form),
  rejects: (name: string, offset: number, limit: number, signal?: Signal) =>
    get<{ total: number; rows: T.Reject[] }>(`/imports/${id(name)}/rejects`, { offset, limit }, signal),
  rejectsFile: (name: string, kind: 'csv' | 'xlsx') => address(`/imports/${id(name)}/rejects.${kind}`),
}
