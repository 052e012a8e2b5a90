import { queryString, type Query } from '@/lib/url'

import { Problem } from './problem'
import type { ProblemBody } from './types'

export const ROOT = '/api/v1'

interface Options {
  query?: Query
  body?: unknown
  form?: FormData
  signal?: AbortSignal
}

async function problemOf(response: Response): Promise<Problem> {
  let body: ProblemBody = {}
  try {
    const found: unknown = await response.json()
    if (found !== null && typeof found === 'object') body = found as ProblemBody
  } catch {
    body = {}
  }
  // A list of details is FastAPI's own form of refusal, before a handler could speak.
  if (body.detail !== undefined && typeof body.detail !== 'string') body = { title: JSON.stringify(body.detail) }
  return new Problem(response.status, body)
}

/** The one way to the server: JSON in and out, every refusal a `Problem`. */
async function send<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  let payload: BodyInit | undefined = options.form
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    payload = JSON.stringify(options.body)
  }
  let response: Response
  try {
    response = await fetch(address(path, options.query), { method, headers, body: payload, signal: options.signal })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new Problem(0, {})
  }
  if (!response.ok) throw await problemOf(response)
  if (!(response.headers.get('Content-Type') ?? '').includes('json')) throw new Problem(502, {})
  return (await response.json()) as T
}

export function address(path: string, query: Query = {}): string {
  return ROOT + path + queryString(query)
}

export function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return send<T>('GET', path, { query, signal })
}

export function post<T>(path: string, body: unknown): Promise<T> {
  return send<T>('POST', path, { body })
}

export function postForm<T>(path: string, form: FormData): Promise<T> {
  return send<T>('POST', path, { form })
}

export function remove<T>(path: string, body: unknown): Promise<T> {
  return send<T>('DELETE', path, { body })
}
