/* Where somebody's attention goes when a page changes under them: what is said, what is focused, what can be undone.
   Loaded before portal.js; what both use is in window.Portal. */
(() => {
  "use strict";
  const body = document.body;
  const isSeen = (element) => element?.isConnected && (element.checkVisibility?.() ?? true);

  /* Saying things to screen readers. The regions that speak stand in the frame of the page, outside of what is swapped. */

  const say = (text, box = document.getElementById("announcer")) => {
    if (!box || !text) return;
    box.textContent = "";
    setTimeout(() => { box.textContent = text; }, 50);
  };

  const lastSaid = new Map();

  const sayWhatChanged = (root, isFirst) => {
    const speaking = [...root.querySelectorAll("[data-spoken]"), ...(root.matches("[data-spoken]") ? [root] : [])];
    for (const part of speaking) {
      const text = part.innerText.replace(/\s+/g, " ").trim();
      const known = lastSaid.get(part.dataset.spoken);
      lastSaid.set(part.dataset.spoken, text);
      if (!isFirst && text !== known) say(text);
    }
  };

  /* Focus goes to what a page or a swap wants read first: an error, an answer, the row that was changed */

  const focusOn = (target, { quietly = false } = {}) => {
    if (!target.matches("a[href], button, input, select, textarea, summary, [tabindex]")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    if (!quietly) target.scrollIntoView({ block: "nearest" });
  };

  const wanted = (root) =>
    [root, ...root.querySelectorAll(".error-summary, [data-focus]")].find((one) => one.matches(".error-summary, [data-focus]") && isSeen(one));

  /* What was focused leaves with its row: the focus goes to the same row or button, else to the next row, else to a heading */

  const ROWS = "li[id], tr[id], .card[id]";
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const HEADINGS = "h1, h2, h3, h4";
  let place = null;

  const placeOf = (element, target) => {
    const row = element.closest(ROWS);
    const around = [];
    for (let one = element.closest("[id]"); one; one = one.parentElement?.closest("[id]")) around.push(one.id);
    if (!row || row.contains(target)) return { around, target: target.id };
    const rows = [...row.parentElement.children].filter((one) => one.matches(ROWS)).map((one) => one.id);
    const control = [...row.querySelectorAll(CONTROLS)].indexOf(element);
    return { row: row.id, control, next: rows.slice(rows.indexOf(row.id) + 1), around, target: target.id };
  };

  const seen = (id) => {
    const found = id && document.getElementById(id);
    return isSeen(found) ? found : null;
  };

  const putBack = ({ row, control = -1, next = [], around, target }, isQuiet) => {
    const same = seen(row);
    const again = isQuiet && same ? same.querySelectorAll(CONTROLS)[control] : null;
    const heading = (id) => [...(seen(id)?.querySelectorAll(HEADINGS) ?? [])].find(isSeen);
    const found = (isSeen(again) && again) || same || next.map(seen).find(Boolean)
      || [...around, target].map(heading).find(Boolean) || document.querySelector(".page-main h1") || document.getElementById("main");
    if (found) focusOn(found, { quietly: isQuiet });
  };

  body.addEventListener("htmx:beforeSwap", (event) => {
    const focused = document.activeElement;
    const target = event.detail.target;
    if (!event.detail.shouldSwap || !(target instanceof Element)) return;
    const leaves = target.contains(focused) || focused.closest?.("#toast, dialog");
    place = leaves && focused !== body ? placeOf(focused, target) : null;
  });

  body.addEventListener("htmx:afterSettle", (event) => {
    const root = event.detail.elt;
    const asked = event.detail.requestConfig?.elt;
    if (!(root instanceof Element) || root.closest("#toast")) return;
    sayWhatChanged(root);
    if (asked?.matches?.("input[type=search]")) return;
    const target = wanted(root);
    if (target) focusOn(target);
    else if (root.dataset.say) say(root.dataset.say);
    if (place && (!document.activeElement || document.activeElement === body)) putBack(place, Boolean(asked?.matches?.("[data-quiet]")));
    place = null;
  });

  body.addEventListener("portal:said", (event) => say(event.detail.value));

  /* The toast: what was done and Undo. It stays for ten seconds, and for as long as it is pointed at or has the focus. */

  const toast = document.getElementById("toast");
  const STAYS = 10_000, LOOKS_EVERY = 250; // milliseconds
  let goes = 0; // when it goes, unless it is kept
  let timer = null;

  const closeToast = () => {
    clearInterval(timer);
    const hadFocus = toast.contains(document.activeElement);
    toast.replaceChildren();
    if (hadFocus) document.getElementById("main").focus();
  };

  const isKept = () => document.hidden || toast.matches(":hover") || toast.contains(document.activeElement) || toast.querySelector("form[aria-busy]");

  const openToast = () => {
    clearInterval(timer);
    goes = Date.now() + STAYS;
    timer = setInterval(() => {
      if (isKept()) goes = Math.max(goes, Date.now() + STAYS / 2);
      if (Date.now() >= goes || !toast.firstElementChild) closeToast();
    }, LOOKS_EVERY);
  };

  if (toast) {
    new MutationObserver(() => { if (toast.firstElementChild) openToast(); }).observe(toast, { childList: true });
    toast.addEventListener("click", (event) => { if (event.target.closest?.("[data-dismiss]")) closeToast(); });
    document.addEventListener("keydown", (event) => {
      const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "z";
      const back = toast.querySelector("form");
      if (!isUndo || !back || event.target.closest("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      back.requestSubmit();
    });
    toast.addEventListener("keydown", (event) => { if (event.key === "Escape") closeToast(); });
  }

  /* What an open page asks by itself is no use of the session: one that nobody uses ends (web/gate.py) */

  body.addEventListener("htmx:configRequest", (event) => {
    const cause = event.detail.triggeringEvent;
    if (!cause || cause.type.startsWith("sse:")) event.detail.headers["Portal-Background"] = "1";
  });

  window.Portal = { say, focusOn };
  sayWhatChanged(document.documentElement, true);
  const first = document.querySelector(".error-summary") ?? document.querySelector("#flashes .notice");
  if (first) focusOn(first);
})();
