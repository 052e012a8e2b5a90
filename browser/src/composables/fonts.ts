/** Fonts of canvases, which take none from the style sheets; only what a computer already has. */
export const FONT = '"Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif'
