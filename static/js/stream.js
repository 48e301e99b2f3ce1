/* The stream of nudges. One page of a browser listens and passes on what it hears to the others of the same session:
   browsers allow six connections to a site, and eight tabs would leave none for pages. Only a page that is looked at
   listens or is told anything; one that comes back asks for everything it may have missed. Where a browser has no
   locks (or the address is not https), each page that is looked at listens by itself. */
(() => {
  "use strict";
  if (!window.htmx || !window.EventSource) return;

  const EVERYTHING = "all";
  const SHORTEST_WAIT = 1000, LONGEST_WAIT = 120_000, FULL_WAIT = 60_000; // milliseconds
  const name = `portal-stream-${document.body.dataset.stream}`;
  const toldAt = new Map(); // topic: when this page was told of it last
  const shares = Boolean(document.body.dataset.stream && navigator.locks && window.BroadcastChannel);

  /* What the sse extension takes for an EventSource. It connects again by itself, so it is CLOSED only at its end. */
  class Stream extends EventTarget {
    #url;
    #source = null;
    #topics = new Set();
    #pages = shares ? new BroadcastChannel(name) : null;
    #ended = false;
    #turn = null; // while this page is looked at; aborts when it is no more
    #stopLeading = null;
    #missed = false; // whether something may have been nudged that this browser did not hear
    #wait = SHORTEST_WAIT;
    #look = () => (document.hidden ? this.#rest() : this.#begin());

    constructor(url) {
      super();
      this.#url = url;
      if (this.#pages) this.#pages.onmessage = ({ data }) => this.#tell(data);
      document.addEventListener("visibilitychange", this.#look);
      this.#look();
    }

    get readyState() {
      if (this.#ended) return EventSource.CLOSED;
      return this.#source?.readyState === EventSource.OPEN ? EventSource.OPEN : EventSource.CONNECTING;
    }

    addEventListener(topic, ...rest) {
      super.addEventListener(topic, ...rest);
      this.#topics.add(topic);
    }

    close() {
      this.#ended = true;
      document.removeEventListener("visibilitychange", this.#look);
      this.#rest();
      this.#pages?.close();
    }

    #begin() {
      if (this.#turn || this.#ended) return;
      this.#turn = new AbortController();
      if (shares) this.#ask(this.#turn.signal);
      else this.#open();
    }

    #rest() {
      this.#missed = true;
      this.#turn?.abort();
      this.#turn = null;
      this.#hangUp();
      this.#stopLeading?.();
      this.#stopLeading = null;
    }

    /* Lead when no page does; otherwise wait until the one that does is closed or hidden. */
    async #ask(signal) {
      let taken = false;
      await navigator.locks.request(name, { ifAvailable: true }, (lock) => {
        taken = !lock;
        return lock && this.#lead(signal);
      });
      if (!taken || signal.aborted) return;
      if (this.#missed) this.#tell(EVERYTHING);
      this.#missed = true;
      navigator.locks.request(name, { signal }, () => this.#lead(signal)).catch(() => {}); // hidden while it waited
    }

    /* The lock is kept for as long as this promise is open. */
    #lead(signal) {
      if (signal.aborted) return null;
      return new Promise((done) => {
        this.#stopLeading = done;
        this.#open();
      });
    }

    #open() {
      const source = this.#source = new EventSource(this.#url);
      source.onopen = (event) => {
        this.#wait = SHORTEST_WAIT;
        this.onopen?.(event);
        if (this.#missed) this.#tellAll(EVERYTHING);
        this.#missed = true; // from now on: whenever it opens again
      };
      source.onmessage = ({ data }) => this.#tellAll(data);
      source.addEventListener("bye", ({ data }) => {
        this.#hangUp();
        if (data === "full") this.#openAfter(FULL_WAIT);
        if (data === "again") this.#openAfter(Math.random() * SHORTEST_WAIT); // its process ends; not all at one moment
        // "over": the session ended, and what this page shows with it
      });
      source.onerror = (event) => {
        this.onerror?.(event);
        if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
        this.#hangUp();
        this.#openAfter(this.#wait);
        this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
      };
    }

    #openAfter(milliseconds) {
      const turn = this.#turn;
      setTimeout(() => { if (turn && turn === this.#turn && !this.#source) this.#open(); }, milliseconds);
    }

    #hangUp() {
      this.#source?.close();
      this.#source = null;
    }

    #tellAll(topic) {
      this.#pages?.postMessage(topic);
      this.#tell(topic);
    }

    #tell(topic) {
      if (!this.#turn) return;
      const topics = topic === EVERYTHING ? [...this.#topics] : [topic];
      for (const one of topics) {
        toldAt.set(one, performance.now());
        this.dispatchEvent(new MessageEvent(one, { data: one }));
      }
    }
  }

  /* What is put in hears nothing until htmx has settled it: a nudge of that moment is given to it afterwards. */
  const swapped = new WeakMap(); // when the answer to a request was put in

  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => swapped.set(detail.xhr, performance.now()));
  document.body.addEventListener("htmx:afterSettle", ({ target, detail }) => {
    const since = swapped.get(detail.xhr);
    const listening = [target, ...target.querySelectorAll("[hx-trigger*='sse:']")];
    for (const one of listening) {
      for (const [, topic] of one.getAttribute("hx-trigger")?.matchAll(/sse:([\w-]+)/g) ?? []) {
        if (toldAt.get(topic) >= since) window.htmx.trigger(one, `sse:${topic}`);
      }
    }
  });

  window.htmx.createEventSource = (url) => new Stream(url);
})();
