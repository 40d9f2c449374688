// One round of the Tab key through a page: what has to be a stop, what was one, and what was wrong with it. A stop is
// looked at just before the next key moves on, when the page has settled.
({ from, back }) => {
  const STOPS = 'a[href], area[href], button, input:not([type="hidden"]), select, textarea, summary, iframe, [tabindex]';
  const root = document.querySelector(from);
  const isOne = (one) => {
    if (!one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) || one.matches(":disabled")) return false;
    if (one.closest('[inert], [aria-hidden="true"]')) return false; // the button behind Enter in a form that has several
    if (one.type !== "radio") return one.tabIndex >= 0 || !one.matches("[tabindex]:not(a, button, input, select, textarea, summary)");
    const group = [...document.querySelectorAll(`input[type="radio"][name="${CSS.escape(one.name)}"]`)].filter((other) => other.form === one.form);
    return one === (group.find((other) => other.checked) ?? (back ? group.at(-1) : group[0]));
  };
  const wanted = [...root.querySelectorAll(STOPS)].filter(isOne);
  if (back) wanted.reverse();
  const looks = (one) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(one);
    const hasOutline = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && !/, 0\)$|\/ 0\)$/.test(outlineColor);
    return [hasOutline ? `${outlineStyle} ${outlineColor}` : "", boxShadow].join("; ");
  };
  const before = new Map(wanted.map((one) => [one, looks(one)]));
  const name = (one) => `<${one.localName}${one.id ? ` #${one.id}` : ""}> “${(one.ariaLabel || one.innerText || one.name || "").trim().slice(0, 40)}”`;
  const reached = [];
  const wrong = [];

  // Nothing lies over the middle or an edge of what is focused, and all of it that can be is in the window.
  const isCovered = (one) => {
    const at = one.getClientRects()[0];
    const [left, top] = [Math.max(at.left, 0), Math.max(at.top, 0)];
    const [right, bottom] = [Math.min(at.right, innerWidth), Math.min(at.bottom, innerHeight)];
    if (right - left < Math.min(at.width, innerWidth) - 1 || bottom - top < Math.min(at.height, 48) - 1) return true;
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const points = [[x, y]];
    if (at.height < innerHeight && at.width < innerWidth) points.push([x, top + 2], [x, bottom - 2], [left + 2, y], [right - 2, y]);
    return points.some(([across, down]) => {
      const hit = document.elementFromPoint(across, down);
      return !hit || !(one.contains(hit) || hit.contains(one) && !hit.matches("body, html") && getComputedStyle(hit).position !== "fixed");
    });
  };
  const look = () => {
    const one = document.activeElement;
    if (!root.contains(one) || one === root || reached.at(-1) === one) return; // the parts of a date are one stop
    reached.push(one);
    if (!before.has(one)) return;
    if (looks(one) === before.get(one) || looks(one) === "; none") wrong.push(`no focus is shown: ${name(one)}`);
    if (isCovered(one)) wrong.push(`focused out of sight: ${name(one)}`);
  };
  removeEventListener("keydown", window.round?.onKey, true);
  removeEventListener("blur", window.round?.onBlur);
  const onKey = (event) => { if (event.key === "Tab") look(); };
  const onBlur = () => {
    const one = document.activeElement;
    if (one.localName === "iframe" && reached.at(-1) !== one) reached.push(one);
  };
  addEventListener("keydown", onKey, true);
  addEventListener("blur", onBlur); // no key pressed inside of a frame is heard here
  const canScroll = (one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
  window.round = {
    onKey, onBlur,
    begin: () => wanted[0].focus(),
    isOver: () => document.activeElement === document.body || reached.includes(wanted.at(-1)) && document.activeElement !== wanted.at(-1),
    result: () => {
      const here = wanted.filter((one) => one.isConnected && isOne(one));
      here.filter((one) => !reached.includes(one)).forEach((one) => wrong.push(`not reached: ${name(one)}`));
      const seen = reached.filter((one) => one.isConnected);
      seen.filter((one, at) => seen.indexOf(one) !== at).forEach((one) => wrong.push(`reached twice: ${name(one)}`));
      seen.filter((one) => !here.includes(one) && !isOne(one) && !canScroll(one)).forEach((one) => wrong.push(`a stop for nothing: ${name(one)}`));
      const order = seen.filter((one) => here.includes(one));
      const want = here.filter((one) => seen.includes(one));
      const off = order.findIndex((one, at) => one !== want[at]);
      if (off >= 0 && wrong.length === 0) wrong.push(`out of order: ${name(order[off])}`);
      return wrong;
    },
  };
  return wanted.length;
}
