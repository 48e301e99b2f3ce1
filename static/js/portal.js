/* Makes the portal quicker to use; every page works without it. */
(() => {
  "use strict";
  const body = document.body;
  const each = (selector, root, act) => {
    if (root.matches?.(selector)) act(root);
    root.querySelectorAll(selector).forEach(act);
  };

  const { say } = window.Portal; // attention.js

  const trouble = (text) => {
    const box = document.getElementById("trouble");
    if (box) box.textContent = text;
  };

  /* Set-up of what a page or a swap brought */

  const prepare = (root) => {
    each("[data-countdown]", root, startCountdown);
    each("[data-copy]", root, (box) => {
      const button = box.querySelector("button");
      if (button && navigator.clipboard) button.hidden = false;
    });
    each("[data-print]", root, (button) => { button.hidden = false; });
    each("[data-autosubmit]", root, (control) => {
      control.form?.classList.add("submits-itself");
    });
  };

  /* Countdown */

  function startCountdown(box) {
    if (box.dataset.running) return;
    box.dataset.running = "1";
    const ends = Date.parse(box.dataset.countdown);
    const clock = box.querySelector("[data-clock]");
    const voice = box.querySelector("[data-say]");
    if (Number.isNaN(ends) || !clock) return;
    const digits = new Intl.NumberFormat(document.documentElement.lang, { minimumIntegerDigits: 2 });
    const whole = new Intl.NumberFormat(document.documentElement.lang);
    const spoken = new Set();
    const tick = () => {
      if (!box.isConnected) return clearInterval(timer);
      const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
      const rest = `${whole.format(Math.floor(left / 60))}:${digits.format(left % 60)}`;
      clock.textContent = box.dataset.words.replace("{rest}", rest);
      box.classList.toggle("is-soon", left <= 120);
      for (const [limit, words] of [[120, box.dataset.left], [30, box.dataset.soon]]) {
        if (left <= limit && left > limit - 5 && !spoken.has(limit)) {
          spoken.add(limit);
          say(words, voice);
        }
      }
      if (left > 0) return;
      clearInterval(timer);
      clock.parentElement.textContent = box.dataset.over;
      say(box.dataset.over, voice);
      box.dispatchEvent(new CustomEvent("portal:expired", { bubbles: true }));
    };
    const timer = setInterval(tick, 1000);
    tick();
  }

  /* Dialogs: <details data-dialog> unfolds without JavaScript; here its body moves into a real <dialog> */

  const openDialog = (details) => {
    const content = details.querySelector(".ask-body");
    const summary = details.querySelector("summary");
    if (!content) return;
    const dialog = document.createElement("dialog");
    dialog.className = "ask-dialog";
    dialog.setAttribute("aria-labelledby", `${details.id}-title`);
    dialog.append(content);
    details.after(dialog);
    dialog.addEventListener("close", () => {
      details.append(content);
      dialog.remove();
      if (summary.isConnected) summary.focus();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.showModal();
    dialog.querySelector(".ask-title")?.focus();
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    trouble("");

    const summary = target.closest("details[data-dialog] > summary");
    if (summary && "showModal" in HTMLDialogElement.prototype) {
      event.preventDefault();
      openDialog(summary.parentElement);
      return;
    }
    const opener = target.closest("[data-opens]");
    const named = opener && document.getElementById(opener.dataset.opens);
    if (named instanceof HTMLDialogElement) {
      event.preventDefault();
      named.showModal();
      return;
    }
    if (target.closest("[data-close]")) {
      const dialog = target.closest("dialog");
      if (dialog) dialog.close();
      else target.closest("details")?.removeAttribute("open");
      return;
    }
    const copy = target.closest("[data-copy] button");
    if (copy) {
      const field = copy.closest("[data-copy]").querySelector("input");
      navigator.clipboard.writeText(field.value).then(() => {
        copy.querySelector("span").textContent = copy.dataset.copied;
        say(copy.dataset.copied);
      }, () => field.select());
      return;
    }
    if (target.closest("[data-print]")) window.print();
    closeMenus(target);
  });

  /* Menus: <details data-menu> closes on a click elsewhere and on Escape */

  const closeMenus = (except) => {
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!except || !menu.contains(except)) menu.open = false;
    });
  };

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest?.("details[data-menu][open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });

  /* A form is sent once; its buttons come back when the answer does */

  const release = (form) => {
    form.removeAttribute("aria-busy");
    delete form.dataset.sent;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (form.method === "get" || form.method === "dialog") return;
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
    setTimeout(() => release(form), 15000);
  }, true);

  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach(release);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-autosubmit]")) event.target.form?.requestSubmit();
  });

  /* HTMX */

  body.addEventListener("htmx:beforeRequest", () => {
    trouble("");
    document.documentElement.classList.add("is-loading");
  });

  body.addEventListener("htmx:afterRequest", (event) => {
    document.documentElement.classList.remove("is-loading");
    const form = event.detail.elt.closest?.("form");
    if (form) release(form);
  });

  body.addEventListener("htmx:validation:halted", (event) => {
    const form = event.target.closest?.("form");
    if (form) release(form);
  });

  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    body.addEventListener(name, () => trouble(body.dataset.wordFailed));
  }

  /* An answer that lands outside an open dialog closes it, so that it can be seen */

  body.addEventListener("htmx:beforeSwap", (event) => {
    const dialog = event.detail.requestConfig.elt.closest?.("dialog[open]");
    if (dialog && event.detail.shouldSwap && !dialog.contains(event.detail.target)) dialog.close();
  });

  body.addEventListener("htmx:load", (event) => prepare(event.detail.elt));

  prepare(document.documentElement);
})();

/* The day: a page that renews itself does not take away what somebody is using, and leaves folds as they were */
(() => {
  "use strict";
  let pressed = null; // what a finger is on: a new button under it would never be clicked
  const waits = new WeakSet();
  const inUse = (box) =>
    box.contains(pressed) || box.querySelector("dialog[open], details[data-menu][open], form[aria-busy]") || (box.contains(document.activeElement) && document.activeElement.matches("input:not([type=hidden]), textarea, select"));
  const later = (box) => {
    if (waits.has(box)) return;
    waits.add(box);
    setTimeout(() => {
      waits.delete(box);
      if (box.isConnected) window.htmx.trigger(box, "sse:schedule");
    }, 1000);
  };

  document.body.addEventListener("pointerdown", (event) => { pressed = event.target; });
  ["pointerup", "pointercancel"].forEach((name) => window.addEventListener(name, () => setTimeout(() => { pressed = null; }))); // after the click

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const box = event.detail.elt;
    if (!box.matches?.("[data-quiet]") || !inUse(box)) return;
    event.preventDefault();
    later(box);
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const box = event.detail.requestConfig.elt;
    if (!box.matches?.("[data-quiet]") || !inUse(box)) return;
    event.detail.shouldSwap = false;
    later(box);
  });

  const folds = new Map();
  document.body.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details[data-keep][id]")) folds.set(event.target.id, event.target.open);
  }, true);
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.target?.querySelectorAll?.("details[data-keep][id]").forEach((fold) => folds.set(fold.id, fold.open));
  });
  document.body.addEventListener("htmx:load", (event) => {
    const root = event.detail.elt;
    root.querySelectorAll?.("details[data-keep][id]").forEach((fold) => {
      if (folds.has(fold.id)) fold.open = folds.get(fold.id);
    });
  });
})();
