// Small conveniences over pages that work without them: theme switch, menus, the Info dialog, polling manners.
(() => {
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // -- theme ---------------------------------------------------------------------------------------------------
  const showTheme = () => $$("[data-theme-choice]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === document.documentElement.dataset.theme));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (button) { window.setTheme(button.dataset.themeChoice); showTheme(); }
  });
  showTheme();

  // -- menus: native popovers, placed beside their button, arrow keys inside -------------------------------------
  const place = (pop, button) => {
    const at = button.getBoundingClientRect();
    const below = at.bottom + 4 + pop.offsetHeight <= innerHeight;
    const left = pop.dataset.align === "end" ? at.right - pop.offsetWidth : at.left;
    pop.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - 4 - pop.offsetHeight)}px`;
    pop.style.left = `${Math.min(Math.max(8, left), innerWidth - pop.offsetWidth - 8)}px`;
  };
  document.addEventListener("toggle", (event) => {
    const pop = event.target;
    if (!(pop instanceof HTMLElement) || !pop.matches("[popover]")) return;
    const button = document.querySelector(`[popovertarget="${pop.id}"]`);
    button?.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState !== "open" || !pop.classList.contains("pop") || !button) return;
    place(pop, button);
    pop.querySelector('[role="menuitem"], input:not([type="hidden"], :disabled)')?.focus();
  }, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.('[role="menu"]');
    if (!menu) return;
    const items = $$('[role="menuitem"]', menu);
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Tab") menu.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length]?.focus();
  });
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const pop = event.detail.elt.closest(".pop");
    if (pop?.matches(":popover-open")) pop.hidePopover();
  });
  // A polled part that is swapped under an open menu takes its place and its state from it.
  document.body.addEventListener("htmx:afterSwap", () => {
    $$(".pop:popover-open").forEach((pop) => {
      const button = document.querySelector(`[popovertarget="${pop.id}"]`);
      if (!button) return;
      button.setAttribute("aria-expanded", "true");
      place(pop, button);
    });
  });
  // What scrolls takes an open menu along: focus alone can scroll, so closing would take away what was just opened.
  addEventListener("scroll", (event) => {
    $$(".pop:popover-open").forEach((pop) => {
      const button = document.querySelector(`[popovertarget="${pop.id}"]`);
      if (pop.contains(event.target) || !button) return;
      const at = button.getBoundingClientRect();
      if (at.bottom < 0 || at.top > innerHeight) pop.hidePopover(); else place(pop, button);
    });
  }, { capture: true, passive: true });

  // -- tabs that are wider than the window: the one that is open is in sight ------------------------------------------
  const showTab = () => $$(".tabs [aria-current]").forEach((tab) => {
    const strip = tab.closest(".tabs");
    strip.scrollLeft = Math.max(0, tab.offsetLeft + tab.offsetWidth - strip.offsetLeft - strip.clientWidth);
  });
  showTab();
  document.body.addEventListener("htmx:afterSettle", showTab);
  // A browser is content with a part of what the keyboard is on, where a strip or a table scrolls sideways.
  document.addEventListener("focusin", ({ target }) => {
    if (!target.matches?.(":focus-visible") || !target.parentElement?.closest(".tabs, .table-frame")) return;
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  // -- the Info dialog: opened by what htmx puts into it, closed by Esc, address and focus go back -----------------
  const sheet = document.getElementById("sheet");
  if (sheet) {
    let cameFrom = null;
    let opener = null;
    document.body.addEventListener("htmx:beforeRequest", (event) => {
      if (event.detail.target?.id === "sheet-body" && !sheet.open) {
        cameFrom = location.href;
        const trigger = event.detail.elt;
        const menu = trigger.closest("[popover]");
        opener = (menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : trigger.querySelector("a, button") ?? trigger)?.id;
      }
    });
    document.body.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target?.id !== "sheet-body" || sheet.open) return;
      sheet.showModal();
    });
    sheet.addEventListener("close", () => {
      document.getElementById("sheet-body").replaceChildren();
      if (cameFrom) history.pushState({ htmx: true }, "", cameFrom);
      document.title = sheet.dataset.pageTitle ?? document.title;
      document.body.dispatchEvent(new CustomEvent("sheet-closed"));
      if (opener) document.getElementById(opener)?.focus();
    });
    sheet.dataset.pageTitle = document.title;
    document.addEventListener("click", (event) => {
      const close = event.target.closest("[data-close-sheet]");
      if (close && sheet.open) { event.preventDefault(); sheet.close(); }
      else if (event.target === sheet) sheet.close();
    });
  }

  // -- polling: not while nobody looks, at once when somebody looks again ----------------------------------------
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const byClock = event.detail.elt.hasAttribute("data-poll") && !event.detail.requestConfig?.triggeringEvent;
    if (byClock && document.hidden) event.preventDefault();
  });
  // Nobody stays signed in because a page that nobody looks at asks for news.
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.hasAttribute("data-poll") && !event.detail.triggeringEvent) event.detail.headers["X-By-Itself"] = "true";
  });
  // An answer that was on its way while something was done here shows the list as it was before: it is let go.
  let done = 0;
  document.body.addEventListener("htmx:beforeSend", (event) => { event.detail.xhr.askedAfter = done; });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig.verb !== "get") done += 1;
    else if (requestConfig.elt.hasAttribute("data-poll") && xhr.askedAfter !== done) event.detail.shouldSwap = false;
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) $$("[data-poll]").forEach((part) => htmx.trigger(part, "seen-again"));
  });

  // -- answers that are no success still say something -------------------------------------------------------------
  const tellTrouble = (kind) => {
    $$("[data-trouble]").forEach((note) => { note.hidden = note.dataset.trouble !== kind; });
  };
  document.body.addEventListener("htmx:responseError", (event) => {
    if (!event.detail.elt.hasAttribute("data-poll")) tellTrouble("refused"); // the next poll tries again
  });
  document.body.addEventListener("htmx:sendError", () => tellTrouble("unheard"));
  document.body.addEventListener("htmx:afterOnLoad", (event) => { // which follows on a refusal too
    if (event.detail.xhr.status < 400) tellTrouble("");
  });

  // -- forms that apply as soon as a choice is made ----------------------------------------------------------------
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });
  // A filter that is not set stays out of the address.
  document.addEventListener("formdata", (event) => {
    if (!event.target.matches("[data-tidy]")) return;
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });

  // -- a filter beside a search takes along what is typed there ----------------------------------------------------
  // What is searched for may stand in no address: it is posted to the one that the filter leads to.
  const typed = () => {
    const form = document.getElementById("people-form");
    return form?.elements.q?.value.trim() ? form : null;
  };
  const postTo = (form, address) => {
    form.action = address;
    HTMLFormElement.prototype.submit.call(form); // the whole page, so not by htmx
  };
  document.addEventListener("submit", (event) => {
    const form = typed();
    if (!form || !event.target.matches("form[data-keeps-search]")) return;
    event.preventDefault();
    const query = new URLSearchParams(new FormData(event.target));
    postTo(form, `${event.target.getAttribute("action") ?? location.pathname}?${query}`);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-keeps-search] a[href]");
    const form = link && typed();
    if (!form || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    postTo(form, link.href);
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    const { elt, headers, parameters, verb } = event.detail;
    const form = typed();
    // Only what was typed since: once a search was made, these are buttons of its form, and a link drops it on purpose.
    if (!form || form.elements.q.defaultValue || verb !== "get" || !elt.matches("#people a")) return;
    const to = new URL(event.detail.path, location);
    for (const place of ["after", "before", "page"]) to.searchParams.delete(place); // of the list that was not searched
    Object.assign(event.detail, { verb: "post", useUrlParams: false, path: to.pathname + to.search });
    headers["Content-Type"] = "application/x-www-form-urlencoded";
    for (const [name, value] of new FormData(form)) parameters[name] = value;
  });
})();
