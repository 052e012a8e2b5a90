import { computed, ref } from 'vue'

import type { Title, Words } from '@/api/types'

import { en } from './en'
import { zh, type MessageKey } from './zh'

export type Language = 'zh' | 'en'
export type { MessageKey }

const STORE = 'qinglan.language'
const tables: Record<Language, Record<MessageKey, string>> = { zh, en }

export function isLanguage(value: unknown): value is Language {
  return value === 'zh' || value === 'en'
}

function remembered(): Language {
  try {
    const found = localStorage.getItem(STORE)
    return isLanguage(found) ? found : 'zh'
  } catch {
    return 'zh'
  }
}

/** The language of the page; the choice is remembered on this computer. */
export const language = ref<Language>(typeof localStorage === 'undefined' ? 'zh' : remembered())

export function setLanguage(chosen: Language): void {
  language.value = chosen
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en'
  try {
    localStorage.setItem(STORE, chosen)
  } catch {
    // A browser that keeps nothing still shows the page; the choice then lasts as long as the page.
  }
}

/** A message in the chosen language, with `{name}` replaced. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return tables[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  )
}

/** What the server said, in the chosen language. */
export function say(words: Words | null | undefined): string {
  if (words === null || words === undefined) return ''
  if (typeof words === 'string') return words
  return words[language.value] || other(words)
}

function other(title: Title): string {
  return title.zh || title.en || ''
}

/** A message whose key is made from a server's id; the id itself when there is none. */
export function name(prefix: string, id: string | null | undefined): string {
  if (!id) return '—'
  const key = `${prefix}.${id}`
  return key in zh ? t(key as MessageKey) : id
}

export const isChinese = computed(() => language.value === 'zh')
