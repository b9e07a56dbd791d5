// What the pages do: they are complete without it, only longer. Texts are set as text, never as HTML: what becomes HTML
// is a part of the page itself, whose texts are escaped in it.
"use strict";

const root = document.documentElement;
const main = document.getElementById("main");
const sections = [...document.querySelectorAll(".recipient")];
const find = (selector) => document.querySelector(selector);
const findAll = (selector) => [...document.querySelectorAll(selector)];

function keepChoice(name, value) {
  root.dataset[name] = value;
  try { localStorage.setItem(`msgrun-${name}`, value); } catch { /* A page from disk may have no storage. */ }
}

// Recipients: what is about one has its number, and of these numbers one is shown.
let shown = 0;

function showRecipient(index) {
  if (!sections.length) return;
  shown = Math.min(Math.max(index, 0), sections.length - 1);
  for (const part of findAll("[data-of]")) part.hidden = part.dataset.of !== String(shown + 1);
  // The other bodies wait as text: a browser takes minutes to make a thousand frames.
  for (const body of sections[shown].querySelectorAll("noscript")) body.outerHTML = body.textContent;
  paintFrames();
  for (const json of findAll(`[data-of="${shown + 1}"] pre.json`)) markJson(json);
  if (!find("#recipient")) return;
  find("#recipient").value = String(shown + 1);
  find("[data-position]").textContent = `${shown + 1} of ${sections.length}`;
  find("[data-step='-1']").disabled = shown === 0;
  find("[data-step='1']").disabled = shown === sections.length - 1;
  if (shown || location.hash) history.replaceState(null, "", `#r${shown + 1}`);
}

// The keys, texts and other values of JSON get their colours here, and only where they are looked at.
function markJson(pre) {
  const text = pre.textContent;
  const parts = [];
  let position = 0;
  for (const match of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(:?)|-?\d[\d.eE+-]*|true|false|null/g)) {
    const part = document.createElement("span");
    part.textContent = match[1] ?? match[0];
    part.className = match[2] ? "k" : match[1] ? "s" : "n";
    parts.push(text.slice(position, match.index), part);
    position = match.index + part.textContent.length;
  }
  pre.replaceChildren(...parts, text.slice(position));
}

function readHash() {
  const match = /^#r(\d+)$/.exec(location.hash);
  return match ? Number(match[1]) - 1 : 0;
}

// A frame is sandboxed, so its theme is changed in its document, of which the first color scheme is that of the root.
function paintFrames() {
  for (const frame of findAll("iframe[srcdoc]")) {
    const wanted = `color-scheme:${root.dataset.mail}`;
    const current = frame.srcdoc.match(/color-scheme:(?:light|dark)/);
    if (current && current[0] !== wanted && frame.offsetParent) frame.srcdoc = frame.srcdoc.replace(current[0], wanted);
  }
}

// Buttons of which one is pressed: width, theme of the mail client, message or changes.
function choose(name, value) {
  if (name === "view") {
    root.dataset.view = value;
    for (const part of findAll("[data-view]")) if (part !== root) part.hidden = part.dataset.view !== value;
  } else {
    keepChoice(name, value);
  }
  for (const button of findAll(`[data-set="${name}"]`)) button.setAttribute("aria-pressed", String(button.value === value));
  paintFrames();
}

function toggle(name, first, second) {
  if (find(`[data-set="${name}"]`)) choose(name, root.dataset[name] === first ? second : first);
}

// Tabs: the first has what was found, if anything was.
function chooseTab(tab, focused) {
  for (const button of findAll("[data-tab]")) {
    const isChosen = button.dataset.tab === tab;
    button.setAttribute("aria-selected", String(isChosen));
    button.tabIndex = isChosen ? 0 : -1;
    if (isChosen && focused && button.offsetParent) button.focus();
  }
  for (const panel of findAll("[data-panel]")) panel.hidden = panel.dataset.panel !== tab;
}

function moveTab(button, step) {
  const buttons = [...button.parentElement.children];
  chooseTab(buttons.at((buttons.indexOf(button) + step) % buttons.length).dataset.tab, true);
}

// The list of messages beside a message.
function fillList() {
  const list = find("[data-messages]");
  if (!list || typeof messages === "undefined") return;
  for (const [page, name, subject, mark, tone] of messages) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const label = document.createElement("span");
    const count = document.createElement("span");
    item.dataset.text = `${name} ${subject}`;
    link.href = `${page}.html`;
    link.title = subject;
    if (page === main.dataset.page) link.setAttribute("aria-current", "page");
    label.textContent = name;
    count.className = `mark ${tone}`;
    count.textContent = mark;
    if (tone) count.setAttribute("aria-label", tone === "bad" ? `${mark}, with problems` : `${mark}, with warnings`);
    link.append(label, count);
    item.append(link);
    list.append(item);
  }
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const item of findAll("[data-filtered] > li[data-text]")) {
    const content = item.dataset.text.toLowerCase();
    item.hidden = !words.every((word) => content.includes(word));
    count += item.hidden ? 0 : 1;
  }
  const empty = find("[data-no-match]");
  if (empty) empty.hidden = count > 0 || !words.length;
}

function go(address) {
  if (address) location.href = address;
}

// To a message before or after this one in the list of all, which is that of the index.
function goBy(step) {
  const current = messages.findIndex(([page]) => page === main.dataset.page);
  const [page] = (current >= 0 && messages[current + step]) || [];
  go(page && `${page}.html`);
}

const KEYS = {
  j: () => showRecipient(shown + 1),
  k: () => showRecipient(shown - 1),
  ArrowDown: () => showRecipient(shown + 1),
  ArrowUp: () => showRecipient(shown - 1),
  n: () => (main.dataset.page === "index" ? go(find("[data-filtered] > li:not([hidden]) a")?.href) : goBy(1)),
  p: () => goBy(-1),
  i: () => go(find(".brand").href),
  w: () => toggle("width", "desktop", "phone"),
  d: () => toggle("mail", "light", "dark"),
  c: () => toggle("view", "message", "changes"),
  "/": () => find("[data-search]")?.focus(),
  "?": () => find("dialog.help").showModal(),
};

function onKey(event) {
  const target = event.target;
  if (event.key === "Escape" && target.matches("[data-search]")) {
    target.value = "";
    search("");
    target.blur();
  } else if (event.key === "Enter" && target.matches("[data-search]")) {
    find("[data-filtered] > li:not([hidden]) a")?.click();
  } else if (target.matches("[role='tab']") && /^Arrow(Left|Right)$/.test(event.key)) {
    moveTab(target, event.key === "ArrowRight" ? 1 : -1);
  } else if (KEYS[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey && !target.matches("input, select, textarea, pre") && !find("dialog[open]")) {
    if (event.key.startsWith("Arrow") && sections.length < 2) return;
    event.preventDefault();
    KEYS[event.key]();
  }
}

// From `--serve`: the page is loaded again after each change of a file, at the same recipient and place.
function followChanges(address) {
  const state = find("[data-live-state]");
  const events = new EventSource(address);
  events.onopen = () => { state.dataset.state = "on"; state.textContent = "live"; };
  events.onerror = () => { state.dataset.state = "off"; state.textContent = "not connected"; };
  events.addEventListener("changed", () => location.reload());
}

fillList();
choose("width", root.dataset.width);
choose("mail", root.dataset.mail);
if (find("[data-tab]")) chooseTab(find("[data-tab]").dataset.tab, false);
if (find("[data-view='changes']")) choose("view", "message");
showRecipient(readHash());
root.dataset.ready = ""; // from here on `hidden` says which recipient is shown

addEventListener("keydown", onKey);
addEventListener("hashchange", () => showRecipient(readHash()));
for (const button of findAll("[data-set]")) button.onclick = () => choose(button.dataset.set, button.value);
for (const button of findAll("[data-tab]")) button.onclick = () => chooseTab(button.dataset.tab, false);
for (const button of findAll("[data-step]")) button.onclick = () => showRecipient(shown + Number(button.dataset.step));
for (const input of findAll("[data-search]")) input.oninput = () => search(input.value);
if (find("#recipient")) find("#recipient").onchange = (event) => showRecipient(Number(event.target.value) - 1);
find("[data-theme-button]").onclick = () => keepChoice("theme", root.dataset.theme === "dark" ? "light" : "dark");
find("[data-help-button]").onclick = KEYS["?"];
if (root.dataset.live) followChanges(root.dataset.live);
