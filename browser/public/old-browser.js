document.getElementById('app').innerHTML =
  '<p style="padding:2em;font:16px sans-serif">浏览器版本过低，请使用 Chrome 87 及以上，或双核浏览器的“极速模式”。' +
  '<br>This browser is too old: please use Chrome 87 or later.</p>'
