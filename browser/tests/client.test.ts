import { afterEach, describe, expect, it, vi } from 'vitest'

import { api, Problem } from '@/api'

function answer(body: unknown, status = 200, type = 'application/json'): void {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type } })))
}

async function refused(asked: Promise<unknown>): Promise<Problem> {
  const found: unknown = await asked.catch((error: unknown) => error)
  if (!(found instanceof Problem)) throw new Error('not refused')
  return found
}

describe('client', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it('keeps the sentence of each language and the field', async () => {
    answer({ status: 422, zh: '年份不对', en: 'Wrong year', field: 'year' }, 422, 'application/problem+json')
    const problem = await refused(api.board())
    expect(problem.status).toBe(422)
    expect(problem.field).toBe('year')
    expect([problem.sentence('zh'), problem.sentence('en')]).toEqual(['年份不对', 'Wrong year'])
    expect(problem.unreachable).toBe(false)
  })

  it('tells a server that is down from one that refuses', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
    expect((await refused(api.meta())).unreachable).toBe(true)
  })

  it('does not take a page for an answer', async () => {
    answer('<html>', 200, 'text/html')
    expect((await refused(api.meta())).unreachable).toBe(true)
  })

  it('takes an entry back with its reason', async () => {
    const asked: unknown[] = []
    vi.stubGlobal('fetch', (address: string, how: RequestInit) => {
      asked.push([how.method, address, how.body])
      return Promise.resolve(new Response('{}', { headers: { 'Content-Type': 'application/json' } }))
    })
    await api.withdraw('ecology.forest_cover', 'confirmed', 2025, 'mistyped')
    expect(asked).toEqual([['DELETE', '/api/v1/indicators/ecology.forest_cover/confirmed/2025', '{"note":"mistyped"}']])
  })

  it('asks at the address of the contract', async () => {
    const asked: string[] = []
    vi.stubGlobal('fetch', (address: string) => {
      asked.push(address)
      return Promise.resolve(new Response('{}', { headers: { 'Content-Type': 'application/json' } }))
    })
    await api.indicator('air.pm25', '2025-12-31')
    await api.seriesData({ site: '2084A', factor: 'a34004', grain: 'hour', basis: 'audited' })
    expect(asked).toEqual([
      '/api/v1/indicators/air.pm25?as_of=2025-12-31',
      '/api/v1/series/data?site=2084A&factor=a34004&grain=hour&basis=audited',
    ])
  })
})
