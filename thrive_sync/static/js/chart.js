// Draws numbers over time where the page has them: uPlot, fetched only by a page that shows a chart. Without it the
// plain line that came with the page stays, and the table below says the same.
(() => {
  let library = null;
  const load = (script, style) => {
    library ??= new Promise((resolve, reject) => {
      const link = document.createElement("link");
      const element = document.createElement("script");
      Object.assign(link, { rel: "stylesheet", href: style });
      Object.assign(element, { src: script, onload: resolve, onerror: reject });
      document.head.append(link, element);
    });
    return library;
  };

  // A canvas takes no variables: what a colour is in this theme is asked of an element that has it.
  const colour = (place, name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const series = (label, stroke, counts) => ({ label, stroke, width: 2, points: { show: counts.length < 60, fill: stroke, size: 5 } });

  // Times along the axis as the page's language writes them; the day or the year stands below where it begins.
  const DAY = 86400;
  const stamps = (zone) => {
    const writer = (how) => {
      const format = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, ...how });
      return (seconds) => format.format(seconds * 1000);
    };
    const scale = (step) => {
      if (step >= 365 * DAY) return [{ year: "numeric" }];
      if (step >= 28 * DAY) return [{ month: "short" }, { year: "numeric" }];
      if (step >= DAY) return [{ day: "numeric", month: "short" }, { year: "numeric" }];
      const seconds = step < 60 ? { second: "2-digit" } : {};
      return [{ hour: "numeric", minute: "2-digit", ...seconds }, { dateStyle: "medium" }];
    };
    return (_chart, ticks, _axis, _space, step) => {
      const [small, large] = scale(step).map(writer);
      let before = "";
      return ticks.map((tick) => {
        const below = large?.(tick) ?? "";
        const text = below === before ? small(tick) : `${small(tick)}\n${below}`;
        before = below;
        return text;
      });
    };
  };

  const drawn = new Map();
  const draw = (place) => {
    const times = JSON.parse(place.dataset.times);
    const counts = JSON.parse(place.dataset.counts);
    const others = place.dataset.others && JSON.parse(place.dataset.others); // a second line, and both stand on 0
    const [first, last] = [times[0], times.at(-1)];
    drawn.get(place)?.destroy();
    const [ink, line, accent, bad] = ["--ink-2", "--line", "--accent", "--bad"].map((name) => colour(place, name));
    const axis = { stroke: ink, font: `12px ${getComputedStyle(place).fontFamily}`, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const written = (value) => (value === null || value === undefined ? "–" : writeNumber(value));
    const chart = new uPlot({
      width: place.clientWidth,
      height: place.clientHeight,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), place.dataset.zone),
      // What was synced once would be a dot before years to come.
      scales: { x: { range: () => (!others && last - first < 3600 ? [first - 1800, last + 1800] : [first, last]) }, y: { range: (_, low, high) => { const room = Math.max((high - low) * 0.15, 1); return [others ? 0 : Math.max(low - room, 0), high + room]; } } },
      axes: [{ ...axis, values: stamps(place.dataset.zone) }, { ...axis, size: 64, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7], values: (_, ticks) => ticks.map(written) }],
      series: [{}, series(place.dataset.word, accent, counts), ...(others ? [{ ...series(place.dataset.other, bad, counts), dash: [6, 4] }] : [])],
      hooks: { setCursor: [(self) => tell(place, self, written)] },
    }, others ? [times, counts, others] : [times, counts], place);
    place.querySelector("svg")?.remove();
    drawn.set(place, chart);
    watcher.observe(place);
  };

  // The point under the pointer, in words over the chart.
  const tell = (place, chart, written) => {
    const at = chart.cursor.idx;
    let note = place.querySelector(".chart-note");
    if (!note) { note = document.createElement("span"); note.className = "chart-note small"; place.append(note); }
    note.hidden = at === null || at === undefined;
    if (note.hidden) return;
    const when = new Date(chart.data[0][at] * 1000).toLocaleString(document.documentElement.lang, { timeZone: place.dataset.zone, dateStyle: "medium", timeStyle: "short" });
    const counted = chart.series.slice(1).map((one, row) => {
      // Translators: a number and what it counts, as "1,200 members".
      const words = gettext("%(count)s %(what)s");
      return interpolate(words, { count: written(chart.data[row + 1][at]), what: one.label }, true);
    });
    note.textContent = [...counted, when].join(", ");
  };

  const watcher = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    const chart = drawn.get(target);
    if (chart && target.isConnected && target.clientWidth && chart.width !== target.clientWidth) {
      chart.setSize({ width: target.clientWidth, height: target.clientHeight });
    }
  }));

  const drawAll = (again) => {
    for (const [place, chart] of drawn) {
      if (place.isConnected && place.querySelector(".uplot")) continue;
      chart.destroy();
      watcher.unobserve(place);
      drawn.delete(place);
    }
    document.querySelectorAll("[data-chart]").forEach((place) => {
      if (!again && drawn.has(place)) return;
      load(place.dataset.script, place.dataset.style).then(() => { if (place.isConnected) draw(place); }, () => {});
    });
  };
  drawAll(false);
  document.body.addEventListener("htmx:afterSettle", () => drawAll(false));
  new MutationObserver(() => drawAll(true)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
