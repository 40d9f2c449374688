// Every time tells its other form (the exact one, or its age) on hover and where the keyboard is: see `moment` in ui.py.
// Without this script the `title` does it for the mouse.
(() => {
  const CAN_HOLD_FOCUS = "a[href], button:not([disabled]), input, select, textarea, summary, [tabindex]";
  let shown = [];

  const words = (time) => {
    if (time.title) { time.dataset.exact = time.title; time.removeAttribute("title"); } // or the browser shows it as well
    return time.dataset.exact;
  };
  const hide = () => {
    for (const { tip, holder } of shown) {
      tip.remove();
      if (holder?.getAttribute("aria-describedby") === tip.id) holder.removeAttribute("aria-describedby");
    }
    shown = [];
  };
  const show = (time, holder) => {
    const text = words(time);
    if (!text || !time.getClientRects().length) return; // a column that a phone leaves out has no place for a tip
    const tip = document.createElement("div");
    tip.className = "exact";
    tip.id = `exact-${shown.length}`;
    tip.role = "tooltip";
    tip.popover = "manual"; // above dialogs, and not cut off by a table that scrolls
    tip.textContent = text;
    (time.closest("dialog, main") ?? document.body).append(tip);
    tip.showPopover();
    const at = time.getBoundingClientRect();
    const above = at.top - tip.offsetHeight - 2;
    const left = Math.max(8, Math.min(at.left, innerWidth - tip.offsetWidth - 8));
    const covers = (one) => { // what holds the focus stays in sight
      const its = one.getBoundingClientRect();
      return its.left < left + tip.offsetWidth && its.right > left && its.top < at.top - 2 && its.bottom > above;
    };
    const isBelow = above < 0 || (holder && holder !== time && covers(holder));
    tip.style.top = `${isBelow ? at.bottom + 2 : above}px`;
    tip.style.left = `${left}px`;
    if (holder && !holder.hasAttribute("aria-describedby")) holder.setAttribute("aria-describedby", tip.id);
    shown.push({ tip, holder });
  };

  document.addEventListener("pointerover", (event) => {
    const time = event.target.closest?.("time[datetime]");
    if (event.target.closest?.(".exact")) return; // one can move onto it
    if (time && shown.some(({ tip }) => tip.textContent === words(time)) && !document.activeElement?.matches("time")) return;
    if (!time && document.activeElement?.matches?.(":focus-visible") && shown.some(({ holder }) => holder === document.activeElement)) return;
    hide();
    if (time) show(time, null);
  });
  // A row of a table is one stop: with anything of it focused, all its times are told. Elsewhere each time is a stop.
  document.addEventListener("focusin", (event) => {
    hide();
    const at = event.target;
    if (!at.matches?.(":focus-visible")) return;
    const times = at.matches("time") ? [at] : [...(at.closest("tr") ?? at).querySelectorAll("time[datetime]")].slice(0, 4);
    if (at.matches("main, [role='region'], dialog")) return;
    times.forEach((time) => show(time, at));
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown.length) hide();
  });
  addEventListener("scroll", hide, { capture: true, passive: true });

  const makeStops = () => document.querySelectorAll("time[datetime]:not([tabindex])").forEach((time) => {
    const row = time.closest("tr");
    const hasStop = time.parentElement.closest("a[href], button") || row?.querySelector(CAN_HOLD_FOCUS);
    if (!hasStop) time.tabIndex = 0;
  });
  makeStops();
  document.body.addEventListener("htmx:afterSwap", makeStops);
})();
