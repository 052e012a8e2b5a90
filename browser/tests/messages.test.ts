import { describe, expect, it } from 'vitest'

import { en } from '@/i18n/en'
import { zh } from '@/i18n/zh'

function places(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!).sort()
}

describe('messages', () => {
  it('has the same keys in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  })

  it('leaves none empty', () => {
    for (const table of [zh, en]) {
      for (const [key, text] of Object.entries(table)) expect(text.trim() === '' && key !== 'list.comma', key).toBe(false)
    }
  })

  it('replaces the same names in both languages', () => {
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect(places(en[key]), key).toEqual(places(zh[key]))
  })

  it('keeps Chinese out of the English table, except the name of the other language', () => {
    const found = Object.entries(en).filter(([key, text]) => /[\u4e00-\u9fff]/.test(text) && key !== 'language.other')
    expect(found).toEqual([])
  })

  it('finds every literal key that the pages use', async () => {
    const files = import.meta.glob('../src/**/*.{vue,ts}', { query: '?raw', import: 'default', eager: true })
    const missing: string[] = []
    for (const [file, text] of Object.entries(files as Record<string, string>)) {
      for (const found of text.matchAll(/\bt\(\s*'([^']+)'/g)) if (!(found[1]! in zh)) missing.push(`${file}: ${found[1]}`)
      for (const found of text.matchAll(/term="(\w+)"/g)) {
        if (!(`term.${found[1]}.title` in zh) || !(`term.${found[1]}.text` in zh)) missing.push(`${file}: ${found[1]}`)
      }
    }
    expect(missing).toEqual([])
  })

  it('holds all texts: no Chinese outside the tables', () => {
    const files = import.meta.glob(['../src/**/*.{vue,ts}', '!../src/i18n/**'], { query: '?raw', import: 'default', eager: true })
    const found: string[] = []
    for (const [file, text] of Object.entries(files as Record<string, string>)) {
      const plain = text.replace(/\/\*[\s\S]*?\*\//g, '')
      if (/[\u4e00-\u9fff]/.test(plain)) found.push(file)
    }
    expect(found).toEqual([])
  })
})
