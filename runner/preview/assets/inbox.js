// The inbox, on top of preview.js. Its parts come as HTML from its own server, which escapes every text in them.
"use strict";

const POLL = 700; // milliseconds between two looks for what is new
const list = find("[data-list]");
const pane = find("[data-pane]");
const input = find("[data-search]");
let place = { search: "", contact: "", page: "1" };
let version = "";
let opened = "";
let newest = "";

async function ask(address, options = {}) {
  const answer = await fetch(address, { ...options, cache: "no-store" });
  return { status: answer.status, text: answer.status === 204 ? "" : await answer.text() };
}

function showTimes(part) {
  const today = new Date().toDateString();
  for (const time of part.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const isToday = at.toDateString() === today;
    time.textContent = "long" in time.dataset ? at.toLocaleString() : isToday ? at.toLocaleTimeString([], { timeStyle: "medium" }) : at.toLocaleDateString();
    time.title = time.dateTime;
  }
}

function markCurrent() {
  for (const link of list.querySelectorAll("[data-message]")) {
    if (`m${link.dataset.message}` === opened) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Shows the list again if it changed, or if another part of it is wanted. What is being read stays as it is.
let asked = 0;
async function showList(isWanted) {
  const number = ++asked;
  if (isWanted) version = ""; // so that a later look, which may overtake this one, brings the whole list too
  const query = new URLSearchParams({ ...place, since: version });
  const { status, text } = await ask(`list?${query}`);
  if (number !== asked || status !== 200) return;
  const focused = document.activeElement?.dataset?.message;
  list.innerHTML = text;
  const tally = list.querySelector("[data-version]");
  const isChange = version !== "" && !isWanted;
  version = tally.dataset.version;
  place.page = tally.dataset.page;
  showTimes(list);
  for (const button of list.querySelectorAll("[data-turn]")) button.onclick = () => turn(button.dataset.turn);
  for (const link of list.querySelectorAll("[data-message]")) {
    if (isChange && Number(link.dataset.message) > Number(newest)) link.parentElement.classList.add("is-new");
    if (link.dataset.message === focused) link.focus();
  }
  const first = list.querySelector("[data-message]")?.dataset.message;
  if (Number(first) > Number(newest)) newest = first;
  markCurrent();
  if (!opened) welcome(tally.dataset.total);
  if (isChange && opened.startsWith("m")) refreshReplies();
}

function turn(page) {
  place.page = page;
  showList(true);
}

function welcome(total) {
  if (total === "0") pane.replaceChildren(find("[data-welcome]").content.cloneNode(true));
  else if (matchMedia("(min-width: 861px)").matches && first()) location.replace(first().href);
}

const first = () => list.querySelector("[data-message]");

function bindPane() {
  showTimes(pane);
  for (const button of pane.querySelectorAll("[data-set]")) button.onclick = () => choose(button.dataset.set, button.value);
  for (const name of ["width", "mail"]) choose(name, root.dataset[name]);
  if (pane.querySelector("[data-view]")) choose("view", "message");
  for (const json of pane.querySelectorAll("pre.json")) markJson(json);
  const form = pane.querySelector("[data-reply]");
  if (form) form.onsubmit = sendReply;
}

async function open() {
  const wanted = location.hash.slice(1);
  const contact = wanted.startsWith("c") ? decodeURIComponent(wanted.slice(1)) : "";
  const isOtherList = contact !== place.contact && !wanted.startsWith("m");
  opened = wanted;
  if (isOtherList) {
    place = { ...place, contact, page: "1" };
    await showList(true);
  }
  markCurrent();
  if (!wanted) return isOtherList ? undefined : showList(true);
  const address = contact ? `contact?${new URLSearchParams({ id: contact })}` : `message?${new URLSearchParams({ id: wanted.slice(1) })}`;
  const { status, text } = await ask(address);
  if (opened !== wanted) return;
  pane.innerHTML = status === 200 ? text : "<p class=nothing>This is not in the sandbox any more.</p>";
  bindPane();
}

// A reply that came meanwhile is added, and a reply that is being written stays.
async function refreshReplies() {
  const wanted = opened;
  const { status, text } = await ask(`message?${new URLSearchParams({ id: wanted.slice(1) })}`);
  if (status === 200 && opened === wanted) showReplies(text);
}

function showReplies(text) {
  const other = document.createElement("template");
  other.innerHTML = text;
  const replies = [...other.content.querySelectorAll(".reply")];
  for (const old of pane.querySelectorAll(".reply")) old.remove();
  pane.querySelector(".replies").prepend(...replies);
  showTimes(pane);
}

async function sendReply(event) {
  event.preventDefault();
  const text = find("#reply");
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ body: text.value }) };
  const answer = await ask(`reply/${encodeURIComponent(event.target.dataset.reply)}`, options);
  find("[data-reply-state]").textContent = answer.status === 200 ? "Sent." : `Not sent: ${answer.text}`;
  if (answer.status !== 200) return;
  text.value = "";
  showReplies(answer.text);
}

function step(by) {
  const links = [...list.querySelectorAll("[data-message]")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[at < 0 ? 0 : at + by];
  if (!next) return;
  location.hash = next.hash;
  next.scrollIntoView({ block: "nearest" });
}

let waiting = 0;
function searchList() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { place = { ...place, search: input.value, page: "1" }; showList(true); }, 120);
}

Object.assign(KEYS, { j: () => step(1), k: () => step(-1), r: () => find("#reply")?.focus(), i: () => { location.hash = ""; } });
for (const name of ["n", "p", "c", "ArrowDown", "ArrowUp"]) delete KEYS[name];
input.oninput = searchList;
input.addEventListener("keydown", (event) => { if (event.key === "Escape") searchList(); });
addEventListener("hashchange", open);

async function poll() {
  const state = find("[data-live-state]");
  try {
    await showList(false);
    [state.dataset.state, state.textContent] = ["on", "live"];
  } catch {
    [state.dataset.state, state.textContent] = ["off", "the sandbox has stopped"];
  }
  setTimeout(poll, POLL);
}

if (location.hash.length > 1) open();
poll();
