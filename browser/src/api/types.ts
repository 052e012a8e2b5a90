/** The answers of the server, as docs/guide/architecture.md states them. */

export * from './map'

export interface Title {
  zh: string
  en: string
}

/** A title, or a text that needs no translation. */
export type Words = Title | string

export type State =
  | 'met'
  | 'on_pace'
  | 'behind'
  | 'missed'
  | 'no_target'
  | 'awaiting_province'
  | 'confirmed'
  | 'no_pace'
  | 'no_data'

export type Kind = 'estimate' | 'confirmed' | 'reported'

/** A number and its text, rounded as its declaration says. */
export interface Figure {
  value: number | null
  text: string
}

export interface Reading extends Figure {
  period: string
  kind: Kind
  network: string | null
  network_title?: Words | null
  method?: string | null
  method_title?: Words | null
  basis?: string | null
  document?: string | null
  document_date?: string | null
  recorded?: string | null
  edition?: string | null
  note?: Words | null
  /** A part of a year; shown apart, never in a line of years. */
  partial?: boolean
  simulated?: boolean
}

export interface Baseline extends Figure {
  year: number
  network: string | null
  note: Words | null
}

export interface Target extends Figure {
  year: number
  status: 'fixed' | 'issued' | 'awaiting' | 'words'
  document: string | null
  document_date: string | null
  title: Words | null
  recorded?: string | null
  note?: Words | null
}

export interface Gap extends Figure {
  /** The year whose target the gap is measured against. */
  goal_year?: number
  reached?: boolean
}

export interface Pace extends Figure {
  until?: number
  per: 'year'
  source: 'province' | 'straight_line'
}

/** How likely it is that a target is reached, from the years known so far. */
export interface Odds {
  target_year: number
  probability: number | null
  text: string | null
  /** The lowest and the highest odds among the methods. */
  spread: { low: number; high: number; text?: string | null } | null
  methods: { id: string; title: Words; weight: number; probability: number; text?: string | null }[]
  points_used: number
  /** The first year used. */
  from: string | null
  note: Words | null
  /** Why no odds are given; then there are no figures. */
  refused: Words | null
}

/** What the days left of a running year may still bring. */
export interface InYear {
  year: number | string
  days_left: number
  may_lose: Figure | null
  mean_remaining: Figure | null
  note: Words | null
}

export interface Card {
  id: string
  row: number
  title: Title
  domain: string
  domain_title: Title
  unit: Words
  better: 'higher' | 'lower'
  binding: 'binding' | 'expected'
  baseline: Baseline | null
  target: Target | null
  latest: Reading | null
  /** The part of a year after the latest whole one. */
  year_to_date?: Reading | null
  estimate: Reading | null
  confirmed: Reading | null
  difference?: Figure | null
  shown_kind?: Kind | null
  gap: Gap | null
  needed_pace: Pace | null
  state: State
  state_title: Title
  break: { note: Words } | null
  odds?: { text: string | null; probability: number | null } | null
  simulated: boolean
  computed: boolean
  reporter: Words | null
  points: Reading[]
}

export interface Break {
  after: string
  before: string
  reason: 'network' | 'method' | 'basis'
  title: Words
}

export interface LineageSeries {
  site: string
  site_title: Words
  factor: string
  factor_title: Words
  grain: Grain
  basis: Basis
  rows: number
  first: string | null
  last: string | null
}

export interface Lineage {
  period: string
  function: string
  title: Words
  policy: Words | null
  edition: string | null
  stage: string | null
  clause: string | null
  checks: { mark: string; note: Words | null }[]
  network: Words | null
  method: Words | null
  basis: string | null
  counts: { valid: number | null; expected: number | null } | null
  inputs_revision: number | null
  judged_on: string | null
  steps: { title: Words; text: Words | null }[]
  notes?: Words[]
  series: LineageSeries[]
}

/** An entry that no longer counts; it is listed and never drawn. */
export interface Superseded {
  what: 'confirmed' | 'target'
  year: number
  value: number
  text: string
  document: string
  document_date: string
  note: string | null
  recorded: string
  recorded_by: string
  how: 'superseded' | 'withdrawn'
  superseded: string
  superseded_by: string
  reason: string | null
}

export interface Indicator extends Card {
  odds?: Odds | null
  in_year?: InYear | null
  /** What is worth a second look in an entry just recorded. */
  warnings?: Words[]
  history: Reading[]
  superseded?: Superseded[]
  targets: Target[]
  breaks: Break[]
  lineage: Lineage[]
  documents: { title: Words; date: string | null; note?: Words | null }[]
  notes: Words[]
}

export interface Plan {
  id: string
  title: Title
  start: string
  end: string
  status: string
}

export interface Meta {
  version: string
  city: { id: string; title: Title; place?: string | null }
  plan: Plan | null
  today: string
  simulated: boolean
  first_run: boolean
  /** Ids of the pages that the city's pack wants. */
  pages?: string[]
}

export interface Board {
  plan: Plan
  as_of: string
  simulated: boolean
  summary: Partial<Record<State, number>>
  indicators: Card[]
}

/** What an officer enters from a document: a confirmed value, or a target. */
export interface Entry {
  year: number
  value: number
  document: string
  document_date: string
  note: string
}

export type Grain = 'realtime' | 'minute' | 'hour' | 'day' | 'month' | 'quarter' | 'year' | 'sample'
export type Basis = 'realtime' | 'audited' | 'assessed' | 'estimate'

export interface Site {
  id: string
  title: Words
  place: string | null
  place_title: Words | null
  medium?: string | null
  roles: { role: string; start: string | null; end: string | null }[]
  longitude: number | null
  latitude: number | null
  simulated: boolean
}

export interface Factor {
  id: string
  title: Words
  unit: string | null
  alias: string | string[] | null
  medium: string | null
}

export interface Series {
  site: string
  factor: string
  grain: Grain
  basis: Basis
  unit: string | null
  first: string | null
  last: string | null
  rows: number
  latest: { time: string; value: number | null; text: string } | null
  simulated: boolean
}

/** time, value, flag, qualifier, source, received, revision */
export type SeriesPoint = [string, number | null, string | null, string | null, string | null, string | null, number | null]

export interface SeriesData {
  series: { site: string; factor: string; grain: Grain; basis: Basis } | Series
  unit: string | null
  expected: number | null
  present: number
  valid: number
  points: SeriesPoint[]
  flags?: Record<string, Title & { valid: boolean }>
  simulated?: boolean
  truncated: boolean
}

export interface Level {
  level: number
  title: Words
  colour: string
  low?: number | null
  high?: number | null
  edition?: string | null
}

export interface Day {
  date: string
  aqi: number | null
  level: number | null
  title: Words | null
  colour: string | null
  primary: Words[]
  values: Record<string, { value: number | null; text: string; unit: string | null; title?: Words }>
  edition: string | null
  note: Words | null
  missing: Words | null
}

export interface Calendar {
  scope: { place?: string; site?: string; id?: string; title: Words } | Words
  year: number
  days: Day[]
  legend: Level[]
  months: { month: number | string; good: number; heavy: number; valid: number; calendar: number }[]
  summary: {
    good: number
    heavy: number
    valid: number
    calendar: number
    share_good?: Figure | null
    share_heavy?: Figure | null
  }
  editions: { id: string; name?: string; title: Words; start: string | null; end: string | null }[]
  policy: Words | null
  simulated: boolean
}

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'

export interface Progress {
  done: number
  total: number | null
  message: Words | null
}

export type CountName = 'read' | 'added' | 'repeated' | 'revised' | 'rejected' | 'empty'
export type Counts = Record<Exclude<CountName, 'empty'>, number> & { empty?: number }

export interface ImportedFile {
  name: string
  size?: number
  /** How the program understood the columns where nobody said so. */
  guesses?: Words[]
  warnings?: Words[]
}

export interface Import {
  id: string
  job?: string
  files: (ImportedFile | string)[]
  state: JobState
  basis: Basis
  source: string
  counts: Counts | null
  progress: Progress | null
  created?: string | null
  started: string | null
  finished: string | null
  error: ProblemBody | Words | null
  simulated: boolean
}

export interface Reject {
  file: string
  row: number | null
  field: string | null
  value: string | null
  zh: string
  en: string
}

export interface Job {
  id: string
  kind: string
  state: JobState
  progress: Progress | null
  started: string | null
  finished: string | null
  error: ProblemBody | Words | null
}

export interface ProblemBody {
  type?: string
  title?: string
  status?: number
  detail?: string
  zh?: string
  en?: string
  file?: string
  row?: number
  field?: string
}
