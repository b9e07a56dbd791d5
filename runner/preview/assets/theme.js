// Runs before the page is drawn, so that it is never drawn in the wrong theme.
"use strict";
function readChoice(name, fallback) {
  try { return localStorage.getItem(`msgrun-${name}`) || fallback; } catch { return fallback; }
}
document.documentElement.dataset.theme = readChoice("theme", matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
document.documentElement.dataset.width = readChoice("width", "desktop");
document.documentElement.dataset.mail = readChoice("mail", "light");
