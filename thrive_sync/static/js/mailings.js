// Mailings: the groups chooser's search, the last question before sending, and a word before typed text is lost.
(() => {
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // -- groups chooser: a search box over the list; arrows walk what it shows, Space ticks ----------------------------
  $$("[data-chooser]").forEach((chooser) => {
    const box = chooser.querySelector("[data-find]");
    const found = chooser.querySelector("[data-found]");
    const shown = () => $$(".choice:not([hidden]) input", chooser);
    if (box) {
      box.parentElement.hidden = false;
      box.addEventListener("input", () => {
        const words = box.value.toLowerCase().split(/\s+/);
        $$(".choice[data-words]", chooser).forEach((line) => {
          line.hidden = !words.every((word) => line.dataset.words.includes(word));
        });
        found.textContent = `${shown().length} of ${$$(".choice input", chooser).length} groups shown`;
      });
    }
    chooser.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === box) event.preventDefault(); // the box filters, it sends nothing
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const inputs = shown();
      const next = inputs.indexOf(document.activeElement) + step;
      if (next < 0) box?.focus(); else inputs[Math.min(next, inputs.length - 1)]?.focus();
    });
  });

  // -- the question before sending: the page came with it open; as a modal the rest of the page is out of reach --------
  $$("dialog[data-modal]").forEach((dialog) => {
    dialog.close();
    dialog.showModal();
    dialog.addEventListener("click", (event) => {
      if (!event.target.closest("[data-close]")) return;
      event.preventDefault();
      dialog.close();
    });
  });

  // -- a date or time that is chosen is meant ------------------------------------------------------------------------
  $$("[data-when]").forEach((fields) => fields.addEventListener("input", () => {
    fields.closest("form").querySelector('[name="when"][value="later"]').checked = true;
  }));

  // -- leaving with text that is not saved ---------------------------------------------------------------------------
  $$("form[data-guarded]").forEach((form) => {
    const told = () => JSON.stringify([...new FormData(form)]);
    const saved = told();
    let isSending = false;
    form.addEventListener("submit", () => { isSending = true; });
    addEventListener("beforeunload", (event) => {
      if (!isSending && told() !== saved) event.preventDefault();
    });
  });
})();
