// Runs before the first paint: a remembered choice must not flash the other theme.
(() => {
  const choice = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = (wanted) => {
    document.documentElement.dataset.theme = wanted;
    document.documentElement.dataset.bsTheme = wanted === "auto" ? (dark.matches ? "dark" : "light") : wanted;
  };
  set(choice === "light" || choice === "dark" ? choice : "auto");
  dark.addEventListener("change", () => set(document.documentElement.dataset.theme));
  window.setTheme = (wanted) => {
    try { localStorage.setItem("theme", wanted); } catch { /* private window: the choice lasts for this page */ }
    set(wanted);
  };
})();
