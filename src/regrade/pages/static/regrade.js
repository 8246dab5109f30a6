// What pages do beyond links and forms; each of them works without this file.
// Regions: elements with an id and data-region are replaced when the view changes; where a page has none, or others
// than before, all of it is. A details element with an id stays open.
// Keys: an element with data-key="w" is followed by that key; rows to walk through have data-row.
// Live: an element with data-live="URL" shows what that stream of events sends, until it says "end"; what stays the
// same stays in place, so that focus and selection do.
// Again: an element with data-again="2" has the view asked for again after so many seconds; where it has data-whole
// too, the whole page is replaced when it has become another.
// Copy: a button with data-copy="ID" copies the text of that element, with data-copy="" the address of the page.

const PLACES = { o: "Overview", t: "Over time", r: "Runs", s: "Samples", c: "Compare", g: "Gates" };
const BUSY_AFTER_MS = 400;
const PREFIX_MS = 1500;
let asked = null;

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (text) => { const said = document.getElementById("said"); if (said) said.textContent = text; };
const isHere = (url) => url.origin === location.origin && url.pathname === location.pathname;
const follow = (element) => { if (element) element.click(); return Boolean(element); };

function replace(next, quietly) {
  const names = all("[data-region][id]", next).map((one) => one.id);
  const known = names.length > 0 && names.join() === all("[data-region][id]").map((one) => one.id).join();
  const timid = quietly && !known && !document.querySelector("[data-whole]");
  for (const name of known ? names : ["main"]) {
    const old = document.getElementById(name), fresh = next.getElementById(name);
    if (!old || !fresh || old.isEqualNode(fresh) || timid || (quietly && old.matches("form, .fold"))) continue;
    for (const one of all("details[id][open]", old).concat(old.matches("details[open]") ? old : [])) {
      const same = one === old ? fresh : fresh.querySelector(`#${CSS.escape(one.id)}`);
      if (same) same.open = true;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement.id || document.activeElement.name : "";
    old.replaceWith(fresh);
    if (focused) (document.getElementById(focused) || fresh.querySelector(`[name="${CSS.escape(focused)}"]`))?.focus();
  }
  for (const part of [".theme", ".top nav", ".foot"]) {
    const old = document.querySelector(part), fresh = next.querySelector(part);
    if (old && fresh) old.replaceWith(fresh);
  }
  document.title = next.title;
  begin();
}

async function show(url, push, quietly) {
  asked?.abort();
  const mine = asked = new AbortController();
  const main = document.getElementById("main");
  const busy = quietly ? 0 : setTimeout(() => { main.setAttribute("aria-busy", "true"); say("Still reading; the old rows stay until the new ones are here."); }, BUSY_AFTER_MS);
  try {
    const answer = await fetch(url, { signal: mine.signal, headers: { accept: "text/html" } });
    if (!(answer.headers.get("content-type") || "").startsWith("text/html")) { location.assign(url); return; }
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (push) history.pushState(null, "", answer.url);
    replace(next, quietly);
    if (push) document.querySelector("[data-row].on")?.scrollIntoView({ block: "nearest" });
    if (!quietly) say(document.querySelector("[data-count]")?.dataset.count || "");
  } catch (error) {
    if (error.name !== "AbortError" && !quietly) location.assign(url);
  } finally {
    clearTimeout(busy);
    if (asked === mine) document.getElementById("main").removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) { navigator.clipboard?.writeText(copy.dataset.copy ? document.getElementById(copy.dataset.copy)?.textContent || "" : location.href).then(() => say("Copied.")); return; }
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.download) return;
  const url = new URL(link.href);
  if (!isHere(url) || url.hash || ["format", "theme", "keys"].some((name) => url.searchParams.has(name))) return;
  event.preventDefault();
  show(url, true);
});

document.addEventListener("submit", (event) => {
  const form = event.target, url = new URL(form.action);
  if (form.method !== "get" || !isHere(url)) return;
  event.preventDefault();
  url.search = new URLSearchParams([...new FormData(form, event.submitter)].filter(([, text]) => text));
  show(url, true);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-now] select, form[data-now] input[type=checkbox]")) event.target.form.requestSubmit();
});

addEventListener("popstate", () => show(location.href, false));

function walk(step) {
  const rows = all("[data-row]").filter((row) => !row.closest("details:not([open])"));
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  const target = row?.matches("a") ? row : row?.querySelector("a[href]");
  target?.focus();
  row?.scrollIntoView({ block: "nearest" });
  return Boolean(target);
}

let prefix = 0;
function act(key) {
  const search = document.querySelector(".find input"), help = document.getElementById("help");
  if (Date.now() < prefix) {
    prefix = 0;
    return follow(all(".top nav a").find((link) => link.textContent === PLACES[key]));
  }
  if (key === "g") { prefix = Date.now() + PREFIX_MS; return true; }
  if (key === "/") { search?.focus(); search?.select(); return Boolean(search); }
  if (key === "?") { help?.open ? help.close() : help?.showModal(); return Boolean(help); }
  if (key === "c") { navigator.clipboard?.writeText(location.href).then(() => say("Link copied.")); return true; }
  if (key === "Escape") return follow(document.querySelector('[data-key="Escape"]'));
  const alias = { ArrowDown: "j", ArrowUp: "k" }[key] || key;
  if (/^[a-z[\]]$/.test(alias) && follow(document.querySelector(`[data-key="${alias}"]`))) return true;
  return alias === "j" ? walk(1) : alias === "k" ? walk(-1) : false;
}

document.addEventListener("keydown", (event) => {
  const inField = event.target.matches("input, select, textarea, [contenteditable]");
  if (inField && event.key === "Escape") { event.target.value = ""; event.target.blur(); return; }
  if (inField || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys === "off") return;
  if (document.getElementById("help")?.open && event.key !== "?") return;
  if (event.target.matches("[tabindex]") && event.key.startsWith("Arrow")) return;
  if (act(event.key)) event.preventDefault();
});

function patch(old, fresh, inner) {
  if (!inner && old.isEqualNode(fresh)) return;
  const kids = [...fresh.childNodes];
  if (!inner && (old.nodeName !== fresh.nodeName || old.attributes?.length !== fresh.attributes?.length || !kids.length)) { old.replaceWith(fresh); return; }
  for (const one of inner ? [] : fresh.attributes) old.setAttribute(one.name, one.value);
  if (old.childNodes.length !== kids.length) old.replaceChildren(...kids);
  else [...old.childNodes].forEach((one, place) => patch(one, kids[place]));
}

let again = 0;
const streams = new Map();
function begin() {
  for (const [element, stream] of streams) if (!element.isConnected) { stream.close(); streams.delete(element); }
  for (const element of all("[data-live]")) {
    if (streams.has(element)) continue;
    const stream = new EventSource(element.dataset.live);
    streams.set(element, stream);
    stream.addEventListener("message", (event) => {
      const next = new DOMParser().parseFromString(event.data, "text/html");
      patch(element, next.body, true);
    });
    stream.addEventListener("say", (event) => say(event.data));
    stream.addEventListener("end", () => { stream.close(); show(location.href, false); });
  }
  for (const button of all("[data-copy][hidden]")) button.hidden = false;
  clearTimeout(again);
  const seconds = Math.min(...all("[data-again]").map((one) => Number(one.dataset.again)));
  if (Number.isFinite(seconds)) again = setTimeout(poll, seconds * 1000);
}
function poll() {
  if (document.hidden || document.activeElement?.closest("[data-region]")) again = setTimeout(poll, 2000);
  else show(location.href, false, true).then(begin);
}
begin();
