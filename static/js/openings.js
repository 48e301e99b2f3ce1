/* Drawing opening hours on the week: new ones on empty time, an opening longer, shorter or elsewhere. It only fills in and
   sends the page's ordinary forms; links and forms do the same by keyboard and without JavaScript. */
(() => {
  "use strict";
  const week = document.querySelector("[data-hours]");
  const draw = document.getElementById("hours-draw");
  const stretch = document.getElementById("hours-stretch");
  if (!week || !draw || !stretch || !window.PointerEvent) return;

  const first = Number(week.dataset.starts);
  const last = Number(week.dataset.ends);
  const step = Number(week.dataset.step);
  const wide = window.matchMedia("(min-width: 768px)"); // below it the week is a list
  const REACH = 5; // pixels until a press becomes a drag

  document.documentElement.classList.add("can-draw");
  for (const block of week.querySelectorAll("[data-stretch]")) {
    for (const edge of ["start", "end"]) {
      const grip = document.createElement("span");
      grip.className = `block-grip is-${edge}`;
      grip.dataset.edge = edge;
      block.append(grip);
    }
  }

  const within = (minute) => Math.min(Math.max(minute, first), last);
  const words = (minute) => `${String(Math.floor(minute / 60) % 24).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

  const minuteAt = (day, y, round) => {
    const box = day.getBoundingClientRect();
    const row = parseFloat(getComputedStyle(day).gridAutoRows);
    return within(first + round((y - box.top) / row) * step);
  };

  const dayAt = (x, y) => document.elementsFromPoint(x, y).find((one) => one.matches(".week-blocks[data-day]"));

  /* One drag at a time: what is dragged, from where, and the shape it would have */

  let drag = null;

  const show = () => {
    const { ghost, day, starts, ends } = drag;
    if (ghost.parentElement !== day) day.append(ghost);
    ghost.style.gridRow = `${Math.floor((starts - first) / step) + 1} / ${Math.ceil((ends - first) / step) + 1}`;
    ghost.firstChild.textContent = `${words(starts)} – ${words(ends)}`;
  };

  const begin = (event) => {
    drag.ghost = document.createElement("li");
    drag.ghost.className = "block is-drawn";
    const label = document.createElement("span");
    label.className = "block-time";
    label.dir = "ltr";
    drag.ghost.append(label);
    drag.block?.classList.add("is-leaving");
    week.setPointerCapture(event.pointerId);
    week.classList.add("is-drawing");
    drag.begun = true;
  };

  const end = () => {
    if (!drag) return;
    drag.ghost?.remove();
    drag.block?.classList.remove("is-leaving");
    week.classList.remove("is-drawing");
    drag = null;
  };

  const follow = (event) => {
    const day = dayAt(event.clientX, event.clientY) || drag.day;
    if (drag.what === "new") {
      const here = minuteAt(drag.day, event.clientY, Math.round);
      drag.starts = Math.min(drag.from, here);
      drag.ends = Math.max(drag.from + step, here);
    } else if (drag.what === "start") {
      drag.starts = Math.min(minuteAt(drag.day, event.clientY, Math.round), drag.ends - step);
    } else if (drag.what === "end") {
      drag.ends = Math.max(minuteAt(drag.day, event.clientY, Math.round), drag.starts + step);
    } else {
      const length = drag.to - drag.from;
      const moved = Math.round((event.clientY - drag.y) / parseFloat(getComputedStyle(drag.day).gridAutoRows)) * step;
      drag.starts = Math.min(Math.max(drag.from + moved, first), last - length);
      drag.ends = drag.starts + length;
      drag.day = day;
    }
    show();
  };

  const send = (form, day, starts, ends) => {
    form.elements.namedItem("starts").value = words(starts);
    form.elements.namedItem("ends").value = words(ends);
    form.elements.namedItem(form === draw ? "date" : "day").value = day;
    form.requestSubmit();
  };

  week.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch" || !wide.matches || drag) return;
    const day = event.target.closest(".week-blocks[data-day]");
    const block = event.target.closest("[data-stretch]");
    if (!day || (!block && event.target.closest(".block"))) return;
    drag = { day, block, home: day, x: event.clientX, y: event.clientY };
    if (block) {
      const [starts, ends] = [Number(block.dataset.start), Number(block.dataset.end)];
      Object.assign(drag, { what: event.target.dataset.edge || "move", starts, ends, from: starts, to: ends });
    } else {
      const from = Math.min(minuteAt(day, event.clientY, Math.floor), last - step);
      Object.assign(drag, { what: "new", from, starts: from, ends: from + step });
    }
  });

  week.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.begun) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < REACH) return;
      begin(event);
    }
    follow(event);
    event.preventDefault();
  });

  week.addEventListener("pointerup", () => {
    if (!drag?.begun) {
      drag = null;
      return;
    }
    const { what, block, home, day, starts, ends, from, to } = drag;
    week.addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true });
    setTimeout(end, 0); // the click of this press is over by then
    if (what === "new") {
      send(draw, day.dataset.day, starts, ends);
    } else if (day !== home || starts !== from || ends !== to) {
      stretch.action = block.dataset.stretch;
      send(stretch, day.dataset.day, starts, ends);
    }
  });

  week.addEventListener("pointercancel", end);
  week.addEventListener("dragstart", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
  });
})();
