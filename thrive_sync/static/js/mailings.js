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
        const all = $$(".choice input", chooser).length;
        const said = ngettext("%(shown)s of %(all)s group shown", "%(shown)s of %(all)s groups shown", all);
        found.textContent = interpolate(said, { shown: writeNumber(shown().length), all: writeNumber(all) }, true);
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

  // -- fields of a message: a button each, which writes it where the cursor was; a finding leads to its line -----------
  const writable = ["subject", "preheader", "html", "text"].map((name) => document.getElementById(`id_${name}`));
  let written = null;
  document.addEventListener("focusin", (event) => { if (writable.includes(event.target)) written = event.target; });
  $$("[data-fields] code").forEach((code) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-plain btn-sm";
    button.textContent = code.textContent;
    button.setAttribute("aria-label", interpolate(gettext("Insert %(field)s"), { field: code.textContent }, true));
    button.addEventListener("click", () => {
      const box = written ?? writable[2];
      box.focus();
      box.setRangeText(code.dataset.insert, box.selectionStart, box.selectionEnd, "end");
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
    code.replaceWith(button);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#findings [data-line]");
    const box = link && document.querySelector(link.getAttribute("href"));
    if (!box) return;
    event.preventDefault();
    const lines = box.value.split("\n");
    const before = lines.slice(0, link.dataset.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    box.focus();
    box.setSelectionRange(before, before + (lines[link.dataset.line - 1] ?? "").length);
  });

  // -- leaving with text that is not saved; a draft keeps itself while it is written -----------------------------------
  const UNTOLD = ["version", "csrfmiddlewaretoken"];
  $$("form[data-guarded]").forEach((form) => {
    const told = () => JSON.stringify([...new FormData(form)].filter(([name]) => !UNTOLD.includes(name)));
    let saved = told();
    let isSending = false;
    let timer = 0;
    let flight = null;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(keep, 2500);
    };
    const keep = () => {
      const sent = told();
      if (flight || isSending || sent === saved) return;
      const answer = htmx.ajax("POST", form.getAttribute("action"), { source: form, target: "#saved", swap: "outerHTML" });
      flight = answer.catch(() => {}).then(() => {
        flight = null;
        const isRefused = document.querySelector("#saved .saved-bad strong"); // nothing is kept over somebody else's change
        if (isRefused) form.removeEventListener("input", later);
        if (document.querySelector("#saved [data-kept]")) saved = sent;
        if (!isRefused && told() !== sent) later();
      });
    };
    if ("autosave" in form.dataset) form.addEventListener("input", later);
    form.addEventListener("submit", (event) => {
      clearTimeout(timer);
      if (!flight) { isSending = true; return; }
      event.preventDefault(); // its answer brings the version that this save needs
      const button = event.submitter;
      flight.then(() => form.requestSubmit(button));
    });
    addEventListener("beforeunload", (event) => {
      if (!isSending && told() !== saved) event.preventDefault();
    });
  });
})();
