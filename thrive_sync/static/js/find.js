// Boxes that find while somebody types: arrows choose, Enter opens, Esc leaves, "/" comes to the search box from anywhere.
(() => {
  const boxOf = (list) => document.querySelector(`[role="combobox"][aria-controls="${list.id}"]`);
  const listOf = (box) => document.getElementById(box.getAttribute("aria-controls"));
  const isBox = (target) => target instanceof HTMLElement && target.matches('[role="combobox"][aria-controls]');
  const options = (list) => [...list.querySelectorAll('[role="option"]:not([aria-disabled])')];
  let cameFrom = null;

  const place = (list, box) => {
    const at = box.getBoundingClientRect();
    list.style.top = `${at.bottom + 4}px`;
    list.style.left = `${Math.min(at.left, innerWidth - list.offsetWidth - 8)}px`;
  };
  const open = (box) => {
    const list = listOf(box);
    if (!list.matches(":popover-open")) list.showPopover();
    box.setAttribute("aria-expanded", "true");
    place(list, box);
  };
  const close = (box) => {
    const list = listOf(box);
    if (list.matches(":popover-open")) list.hidePopover();
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };
  const choose = (box, option) => {
    options(listOf(box)).forEach((one) => one.setAttribute("aria-selected", String(one === option)));
    if (!option) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const chosen = (box) => document.getElementById(box.getAttribute("aria-activedescendant") ?? "");

  document.body.addEventListener("htmx:afterSwap", (event) => {
    const box = event.detail.target.classList?.contains("hits") ? boxOf(event.detail.target) : null;
    if (!box || document.activeElement !== box) return;
    box.removeAttribute("aria-activedescendant");
    if (event.detail.target.children.length) open(box); else close(box);
  });

  const keys = {
    ArrowDown: (box, all, at) => all[(at + 1) % all.length],
    ArrowUp: (box, all, at) => all[(at - 1 + all.length) % all.length] ?? all.at(-1),
    Home: (box, all, at) => (at < 0 ? null : all[0]),
    End: (box, all, at) => (at < 0 ? null : all.at(-1)),
  };
  const onKey = (event) => {
    const box = event.target;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      const isOpen = listOf(box).matches(":popover-open");
      close(box);
      if (isOpen && box.id !== "search-q") return;
      box.value = "";
      if (cameFrom?.isConnected) cameFrom.focus(); else box.blur();
      return;
    }
    if (event.key === "Enter") {
      const option = chosen(box);
      if (option) { event.preventDefault(); option.click(); }
      return;
    }
    if (event.key === "ArrowDown" && !listOf(box).matches(":popover-open")) {
      event.preventDefault();
      htmx.trigger(box, "asked");
      return;
    }
    const all = options(listOf(box));
    const next = keys[event.key]?.(box, all, all.indexOf(chosen(box)));
    if (!next) return;
    event.preventDefault();
    choose(box, next);
  };
  document.addEventListener("keydown", (event) => {
    if (isBox(event.target)) return onKey(event);
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector("dialog:modal")) return;
    const box = document.getElementById("search-q");
    if (!box) return;
    event.preventDefault();
    cameFrom = document.activeElement;
    const side = document.getElementById("side");
    if (!box.checkVisibility()) side?.showPopover();
    box.focus();
    box.select();
  });
  document.addEventListener("focusout", (event) => {
    if (isBox(event.target) && !listOf(event.target).contains(event.relatedTarget)) close(event.target);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.id === "search-q" && event.relatedTarget) cameFrom = event.relatedTarget;
  });
  // A press on an option must not take the focus out of the box before the click arrives.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest?.(".hits")) event.preventDefault();
  });
  addEventListener("resize", () => document.querySelectorAll(".hits:popover-open").forEach((list) => place(list, boxOf(list))));
  // What was typed is not there any more when the page is come back to.
  addEventListener("pagehide", () => { const box = document.getElementById("search-q"); if (box) box.value = ""; });
})();
