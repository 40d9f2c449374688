// The column chooser: rows change places by dragging, by Alt and an arrow key, or by their buttons, which without this
// file post the form instead. Whatever moves is said aloud; nothing is kept until the form is sent.
(() => {
  const rowsOf = (row) => [...row.parentElement.querySelectorAll("[data-column]")];

  const say = (row) => {
    const rows = rowsOf(row);
    const said = row.closest("[data-columns]").querySelector("[data-said]");
    const column = row.querySelector("[data-name]").textContent;
    // Translators: of a column that was moved: its name, its new place, and how many there are.
    const words = gettext("%(column)s: %(place)s of %(total)s");
    said.textContent = interpolate(words, { column, place: rows.indexOf(row) + 1, total: rows.length }, true);
  };

  // The neighbour changes places, never the row itself: what is taken out of the page loses focus.
  const move = (row, step) => {
    const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (other && step < 0) row.after(other);
    if (other && step > 0) row.before(other);
    row.scrollIntoView({ block: "nearest" });
    say(row);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest('[data-column] button[name="move"]');
    if (!button) return;
    event.preventDefault();
    move(button.closest("[data-column]"), button.value.startsWith("up:") ? -1 : 1);
  }, true);

  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.("[data-column]");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!row || !step || !event.altKey) return;
    event.preventDefault();
    move(row, step);
  });

  // -- dragging, by mouse, pen or finger -----------------------------------------------------------------------------
  let dragged = null;
  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    dragged = grip.closest("[data-column]");
    dragged.classList.add("dragged");
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const list = dragged.parentElement;
    const frame = list.getBoundingClientRect();
    if (event.clientY < frame.top + 20) list.scrollTop -= 8;
    if (event.clientY > frame.bottom - 20) list.scrollTop += 8;
    const middle = (row) => { const at = row.getBoundingClientRect(); return at.top + at.height / 2; };
    const before = dragged.previousElementSibling;
    const after = dragged.nextElementSibling;
    if (before && event.clientY < middle(before)) dragged.after(before);
    else if (after && event.clientY > middle(after)) dragged.before(after);
  });
  const drop = () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    say(dragged);
    dragged = null;
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);

  // -- a polled list does not take back what is being chosen ----------------------------------------------------------
  const isOpen = (node) => node instanceof HTMLElement && node.matches("[data-columns]:popover-open");
  addEventListener("DOMContentLoaded", () => {
    if (!window.Idiomorph) return;
    const { callbacks } = window.Idiomorph.defaults;
    callbacks.beforeNodeMorphed = (node) => !isOpen(node);
    // Nor does a polled page close what was opened on it.
    callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches?.("[data-keep-open]"));
  });
})();
