// Target Groups: ticked rows, the dialogs that ask, the rows of the search. The page works without any of it.
(() => {
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // -- ticked rows: kept while the list is polled, dropped when it is acted on -------------------------------------
  const ticked = new Set();
  const boxes = () => $$('input[name="group"][form="bulk"]');
  const show = () => {
    const all = boxes();
    const count = all.filter((box) => box.checked).length;
    const every = document.getElementById("tick-all");
    if (every) {
      every.checked = count > 0 && count === all.length;
      every.indeterminate = count > 0 && count < all.length;
    }
    $$("#bulk button[data-needs-ticks]").forEach((button) => { button.disabled = count === 0; });
    const told = document.getElementById("ticked-count");
    // Translators: of target groups.
    const said = ngettext("%(count)s ticked", "%(count)s ticked", count);
    if (told) told.textContent = count ? interpolate(said, { count: writeNumber(count) }, true) : "";
  };
  document.addEventListener("change", (event) => {
    if (event.target.id === "tick-all") boxes().forEach((box) => { box.checked = event.target.checked; });
    else if (!event.target.matches('input[name="group"][form="bulk"]')) return;
    ticked.clear();
    boxes().filter((box) => box.checked).forEach((box) => ticked.add(box.value));
    show();
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "groups") return;
    if (event.detail.requestConfig?.verb === "post") ticked.clear();
    boxes().forEach((box) => { box.checked = ticked.has(box.value); });
    show();
  });
  boxes().filter((box) => box.checked).forEach((box) => ticked.add(box.value)); // what the browser kept on a reload
  show();

  // -- dialogs: focus goes back to what opened them, or to what was said if that is gone ----------------------------
  let opener = null;
  const open = (dialog, from) => {
    opener = from?.id ?? null;
    if (dialog.open) dialog.close();
    dialog.showModal();
  };
  const ask = document.getElementById("ask");
  const search = document.getElementById("criteria");
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id !== "ask-body") return;
    const menu = event.detail.elt.closest("[popover]");
    ask.dataset.opener = (menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : event.detail.elt).id;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "ask-body" && !ask.open) open(ask, document.getElementById(ask.dataset.opener));
    // What was asked is done; a poll of the list below leaves the dialog open.
    if (event.detail.target?.id === "groups" && ask?.open && event.detail.requestConfig?.verb === "post") {
      opener = "messages";
      ask.close();
    }
  });
  [ask, search].forEach((dialog) => dialog?.addEventListener("close", () => {
    if (dialog === ask) document.getElementById("ask-body").replaceChildren();
    document.getElementById(opener)?.focus();
  }));
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close-dialog]");
    const dialog = close?.closest("dialog") ?? ([ask, search].includes(event.target) ? event.target : null);
    if (dialog?.matches(":modal")) { event.preventDefault(); dialog.close(); }
    const searches = event.target.closest("[data-open-search]");
    if (searches && search) { event.preventDefault(); open(search, searches); search.querySelector("select")?.focus(); }
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "folder" && event.target.closest("#ask")) {
      const name = document.getElementById("new-folder");
      if (name && event.target.value === "new") name.focus();
    }
    if (event.target.id === "new-folder") document.getElementById("folder-new").checked = true;
  });

  // -- the search: a plus sign adds a condition ---------------------------------------------------------------------
  const rows = () => $$(".criterion", search ?? undefined);
  const showRows = () => {
    rows().forEach((row, at) => {
      const name = (part, words) => part.setAttribute("aria-label", interpolate(words, { number: at + 1 }, true));
      const [choice, term] = [row.querySelector("select"), row.querySelector("input")];
      const takesTerm = "term" in choice.selectedOptions[0].dataset;
      name(choice, gettext("Condition %(number)s"));
      name(term, gettext("Compare condition %(number)s with"));
      term.classList.toggle("not-needed", !takesTerm);
      term.tabIndex = takesTerm ? 0 : -1;
      const remove = row.querySelector("button");
      remove.hidden = rows().length === 1;
      name(remove, gettext("Remove condition %(number)s"));
    });
    const more = document.getElementById("more-criteria");
    if (more) more.disabled = rows().length >= Number(search.dataset.most);
  };
  search?.addEventListener("click", (event) => {
    if (event.target.closest("#more-criteria")) {
      event.preventDefault();
      const row = rows().at(-1).cloneNode(true);
      row.querySelector("input").value = "";
      row.querySelector("select").selectedIndex = 0;
      row.querySelector(".problem")?.remove();
      rows().at(-1).after(row);
      showRows();
      row.querySelector("select").focus();
    }
    const remove = event.target.closest(".criterion button");
    if (remove) {
      remove.closest(".criterion").remove();
      showRows();
      rows().at(-1).querySelector("select").focus();
    }
  });
  search?.addEventListener("change", (event) => { if (event.target.matches("select")) showRows(); });
  if (search) showRows();
})();
