import { createApp } from 'vue'

import App from './App.vue'
import { language, setLanguage } from './i18n'
import { watchLosses } from './lost'
import { router } from './router'
import './styles/base.css'
import './styles/parts.css'
import './styles/print.css'

setLanguage(language.value)
watchLosses(router)
createApp(App).use(router).mount('#app')
