import { fileURLToPath, URL } from 'node:url'

import vue from '@vitejs/plugin-vue'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vite'

const server = process.env['QINGLAN_API'] ?? 'http://127.0.0.1:8765'

export default defineConfig({
  plugins: [
    vue(),
    components({ dirs: [], dts: 'src/components.d.ts', resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../src/qinglan/web/browser',
    emptyOutDir: true,
    assetsInlineLimit: 4096,
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
    target: ['es2018', 'chrome64'],
    cssTarget: 'chrome64',
  },
  server: { host: '127.0.0.1', port: 5173, proxy: { '/api': server } },
})
