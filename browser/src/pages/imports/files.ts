import type { Import } from '@/api'

export function fileNames(one: Import): string[] {
  return one.files.map((file) => (typeof file === 'string' ? file : file.name))
}
