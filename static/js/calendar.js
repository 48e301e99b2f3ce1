/* Draws the calendar over the plain list: visits to drag, empty times to ask about. It knows wall times of one zone only;
   what may be moved, and where, is decided by the addresses it asks. */
(() => {
  "use strict";
  const box = document.getElementById("calendar");
  if (!box || !window.EventCalendar) return;
  const about = box.dataset;
  const frame = document.getElementById("calendar-widget");
  const answers = document.getElementById("calendar-answer");
  const phone = window.matchMedia("(max-width: 767.98px)").matches;
  const resources = JSON.parse(about.resources);
  const view = phone && about.narrow ? about.narrow : about.view;
  const byDoctor = view.startsWith("resource");

  /* What a block shows: icon, time, who and what; its words are in its label too */

  const sign = (name, word) => {
    const drawn = document.querySelector(`template[data-icon="${name}"]`)?.content.firstElementChild?.cloneNode(true);
    if (!drawn) return document.createTextNode("");
    if (word) {
      drawn.removeAttribute("aria-hidden");
      drawn.setAttribute("role", "img");
      drawn.setAttribute("aria-label", word);
    }
    return drawn;
  };

  const part = (tag, name, ...inside) => {
    const made = document.createElement(tag);
    made.className = name;
    made.append(...inside);
    return made;
  };

  const content = ({ event }) => {
    const shown = event.extendedProps;
    if (shown.kind === "open") return { domNodes: [] };
    if (shown.kind === "off") {
      return { domNodes: [part("span", "cal-off-word", sign(shown.icon), " ", [shown.word, shown.note].filter(Boolean).join(" · "))] };
    }
    if (!shown.title) return undefined; // the pointer and what is being drawn while dragging
    const who = part(shown.url ? "a" : "span", "cal-title", shown.title);
    if (shown.url) {
      who.href = shown.url;
      who.draggable = false;
      who.setAttribute("aria-label", shown.label);
    }
    const marks = (shown.marks ?? []).map((mark) => part("span", "cal-mark", sign(mark.icon, mark.word), part("span", "cal-clock", mark.word)));
    const time = part("span", "cal-time", sign(shown.icon, shown.word), part("span", "cal-clock", shown.time));
    return { domNodes: [part("div", "cal-block", time, who, ...marks, part("span", "cal-note", shown.note))] };
  };

  /* What the calendar asks and sends */

  const pad = (number) => String(number).padStart(2, "0");
  const dayOf = (at) => `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const clockOf = (at) => `${pad(at.getHours())}:${pad(at.getMinutes())}`;

  const address = (base, more) => {
    const url = new URL(base, location.origin);
    for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
    return url.pathname + url.search;
  };

  const trouble = (text) => {
    const here = document.getElementById("trouble");
    if (here) here.textContent = text;
  };

  let known = [];

  const fetchEvents = async ({ startStr, endStr }) => {
    try {
      const found = await fetch(address(about.feed, { start: startStr.slice(0, 10), end: endStr.slice(0, 10) }));
      if (!found.ok) throw new Error(String(found.status));
      known = await found.json();
    } catch {
      trouble(about.failed); // what was shown before stays
    }
    return known;
  };

  const ask = (verb, url, values) => window.htmx.ajax(verb, url, { source: box, target: answers, swap: "innerHTML", values });

  const drop = async (info) => {
    const { event, newResource, revert } = info;
    answers.replaceChildren(); // an earlier answer is not this one's
    const values = { at: `${dayOf(event.start)}T${clockOf(event.start)}`, version: event.extendedProps.version };
    if (newResource) values.practice_id = newResource.id;
    try {
      await ask("POST", event.extendedProps.move, values);
    } finally {
      if (!answers.querySelector("[data-moved]")) revert();
    }
  };

  const names = new Intl.DateTimeFormat(about.locale, { weekday: "short", day: "numeric", month: "short" });
  const first = about.locale.startsWith("fr") ? "1er" : "1"; // French counts the first of a month
  const dayName = (at) => names.format(at).replace(/(?<!\d)1(?!\d)/, first);

  let dragged = 0;

  const calendar = window.EventCalendar.create(box, {
    view,
    date: about.date,
    locale: about.locale,
    timeZone: about.offset,
    firstDay: Number(about.firstDay),
    headerToolbar: { start: "", center: "", end: "" },
    allDaySlot: false,
    nowIndicator: true,
    pointer: !phone,
    slotMinTime: about.min,
    slotMaxTime: about.max,
    flexibleSlotTimeLimits: true,
    slotDuration: "00:15",
    slotLabelInterval: "01:00",
    slotHeight: 24,
    snapDuration: `00:${pad(Number(about.snap))}`,
    slotEventOverlap: false,
    columnWidth: byDoctor && resources.length > (phone ? 2 : 8) ? "9.5rem" : undefined,
    resources,
    slotLabelFormat: (at) => clockOf(at),
    eventTimeFormat: (at) => clockOf(at),
    dayHeaderFormat: (at) => dayName(at),
    eventSources: [{ events: fetchEvents }],
    eventContent: content,
    eventStartEditable: false,
    eventDurationEditable: false,
    longPressDelay: 400,
    eventDidMount: ({ el, event }) => {
      if (event.extendedProps.label) el.title = event.extendedProps.label;
    },
    eventDragStop: () => { dragged = Date.now(); },
    eventDrop: drop,
    dateClick: ({ date, resource }) => {
      const more = { day: dayOf(date), at: clockOf(date) };
      if (resource) more.practice_id = resource.id;
      ask("GET", address(about.why, more));
    },
    loading: (is) => document.documentElement.classList.toggle("is-loading", is),
  });

  frame.hidden = false;
  document.documentElement.classList.add("has-calendar");
  if (phone && about.narrow) {
    document.querySelectorAll(".cal-wide").forEach((one) => { one.hidden = true; });
    document.querySelectorAll(".cal-narrow").forEach((one) => { one.hidden = false; });
    const label = document.querySelector(".page-subtitle");
    if (label) label.textContent = about.day;
  }

  /* A drag is no click on the link in the block */

  box.addEventListener("click", (event) => {
    if (Date.now() - dragged < 300 && event.target.closest("a")) event.preventDefault();
  }, true);

  /* Somebody else changed the schedule */

  box.addEventListener("sse:schedule", () => calendar.refetchEvents());

  /* Questions and refusals open as a dialog; what was done is said above the calendar */

  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== answers && !answers.contains(event.detail.target)) return;
    const asked = answers.querySelector("[data-modal]");
    if (!asked?.matches("#why-not")) calendar.refetchEvents();
    if (!asked || asked.closest("dialog")) return;
    const dialog = part("dialog", "ask-dialog cal-dialog", asked);
    const title = asked.querySelector(".ask-title");
    if (title) dialog.setAttribute("aria-labelledby", title.id);
    dialog.append(closer());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (press) => { if (press.target === dialog) dialog.close(); });
    answers.append(dialog);
    window.htmx.process(dialog);
    dialog.showModal();
    title?.focus();
  });

  const closer = () => {
    const button = part("button", "btn cal-close", sign("x"));
    button.type = "button";
    button.dataset.close = "";
    button.setAttribute("aria-label", about.close);
    return button;
  };
})();
