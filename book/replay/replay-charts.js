/* Charts: each paints a description into an SVG element of a given size. */
"use strict";

mbsgdReplay.charts = (() => {
  const { svg, round, count } = mbsgdReplay;

  const scale = ({ from, to, log }, start, end) => {
    const f = log ? Math.log10 : Number;
    const slope = (end - start) / (f(to) - f(from) || 1);
    return (value) => start + (f(value) - f(from)) * slope;
  };

  /** About `wanted` round values of a linear axis. */
  const linearTicks = (from, to, wanted) => {
    const power = 10 ** Math.floor(Math.log10((to - from) / wanted));
    const step = power * [1, 2, 5, 10].find((each) => (to - from) / (each * power) <= wanted);
    const first = Math.ceil(from / step - 1e-9);
    return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) => round((first + i) * step, 6));
  };

  /** The powers of ten of a log axis, with values between them where there is room. */
  const logTicks = (from, to, wanted) => {
    const low = Math.floor(Math.log10(from) + 1e-9);
    const decades = Array.from({ length: Math.ceil(Math.log10(to)) - low + 1 }, (_, i) => low + i);
    const sets = [[1, 2, 5], [1, 3], [1]].map((digits) =>
      decades.flatMap((power) => digits.map((digit) => round(digit * 10 ** power, 6)))
        .filter((value) => value >= from * 0.999 && value <= to * 1.001));
    const every = Math.ceil(sets[2].length / wanted);
    return sets.find((set) => set.length <= wanted) ?? sets[2].filter((_, i) => i % every === 0);
  };

  const ticks = ({ from, to, log }, length, each) => (log ? logTicks : linearTicks)(from, to, length / each);
  const number = (value) => (value && Math.abs(value) < 1e-3 ? value.toExponential() : count(value));

  const text = (x, y, words, anchor = "start", name = "") =>
    svg("text", { x: round(x, 5), y: round(y, 5), "text-anchor": anchor, class: name }, words);
  const line = (x1, y1, x2, y2, name) => svg("line", { x1, y1, x2, y2, class: name });
  const rect = (x, y, width, height, name, more) => svg("rect", { x, y, width, height, class: name, ...more });

  const grow = (image, width, height) => {
    image.replaceChildren();
    for (const [key, value] of Object.entries({ viewBox: [0, 0, width, height], width, height })) image.setAttribute(key, value);
  };

  /** Move labels up, from the lowest on, that would stand on one another. */
  const spread = (labels) =>
    labels.sort((a, b) => b.y - a.y).forEach((label, i) => {
      for (const below of labels.slice(0, i))
        if (Math.abs(below.x - label.x) < below.width) label.y = Math.min(label.y, below.y - 16);
    });

  /**
   * Lines over boxes between two axes {label, from, to, log, format}.
   *
   * rules [{axis, value, label, name, below}]; series [{id, x, y, color, name, label, key, stop,
   * markers}] with labels, short (`key`) where it is narrow, and an open circle at mark `stop`;
   * boxes [{x: [from, to], y: [from, to], shade}]. Returns the places of the marks.
   */
  const plot = (image, { x, y, rules, series, boxes = [] }, width, height) => {
    grow(image, width, height);
    const wide = width >= 620;
    const labelled = series.some((each) => each.key);
    const box = { left: 52, right: width - (labelled && wide ? 140 : 22), top: 30, bottom: height - 46 };
    const [across, down] = [box.right - box.left, box.bottom - box.top];
    const sx = scale(x, box.left, box.right);
    const sy = scale(y, box.bottom, box.top);
    Object.assign(image.dataset, { x: [x.from, x.to], y: [y.from, y.to], box: Object.values(box), log: [+!!x.log, +!!y.log] });

    for (const value of ticks(y, down, 45))
      image.append(line(box.left, sy(value), box.right, sy(value), "mr-grid"),
        text(box.left - 8, sy(value) + 4, (y.format ?? number)(value), "end", "mr-tick"));
    for (const value of ticks(x, across, 75))
      image.append(line(sx(value), box.bottom, sx(value), box.bottom + 5, "mr-axis"),
        text(sx(value), box.bottom + 19, (x.format ?? number)(value), "middle", "mr-tick"));
    const inside = svg("svg", { x: box.left, y: box.top - 8, width: across, height: down + 8, viewBox: [box.left, box.top - 8, across, down + 8] });
    const marks = svg("g");
    image.append(inside, line(box.left, box.bottom, box.right, box.bottom, "mr-axis"), marks,
      text(8, box.top - 14, y.label), text(box.right, height - 8, x.label, "end"));
    for (const { x, y, shade } of boxes) {
      const [left, right, low, high] = [...x.map(sx), ...y.map(sy)];
      inside.append(rect(left, high, right - left, low - high, "mr-cell", { style: `--shade:${shade}%` }));
    }
    rules.forEach(({ axis, value, label, name = "", below }) => {
      const at = (axis === "x" ? sx : sy)(value);
      const left = at > (box.left + box.right) / 2;
      const upright = axis === "x";
      inside.append(upright ? line(at, box.top, at, box.bottom, "mr-rule") : line(box.left, at, box.right, at, `mr-rule ${name}`));
      marks.append(upright ? text(at + (left ? -6 : 6), box.top + 12, label, left ? "end" : "start", "mr-note")
        : text(box.left + 6, at + (below ? 15 : -6), label, "start", "mr-note"));
    });
    const labels = [];
    const places = [];
    for (const each of series) {
      const points = each.x.map((value, index) => ({ x: sx(value), y: sy(each.y[index] ?? NaN), index, series: each }))
        .filter((point) => Number.isFinite(point.x + point.y));
      const visible = points.filter((point) => point.y >= box.top);
      places.push(...visible);
      if (!points.length) continue;
      inside.append(svg("path", {
        d: "M" + points.map((point) => `${point.x.toFixed(2)},${point.y.toFixed(2)}`).join("L"),
        class: `mr-line ${each.color} ${each.name ?? ""}`, "data-id": each.id,
      }));
      const dot = (place, r, name) => place && marks.append(svg("circle", { cx: place.x, cy: place.y, r, class: `${name} ${each.color}` }));
      if (each.markers) visible.forEach((point) => dot(point, 3, "mr-dot"));
      dot(visible.find((point) => point.index === each.stop), 5, "mr-ring");
      if (!each.key) continue;
      const end = visible.at(-1) ?? points[0];
      const away = end !== points.at(-1);
      if (!away) dot(end, 4, "mr-dot");
      const words = (away ? "↑ " : "") + (wide ? each.label : each.key.trim());
      labels.push({ x: end.x + (away ? 4 : 9), y: (away ? box.top + 2 : end.y) + 4, width: 7.5 * words.length, words, color: each.color });
    }
    spread(labels);
    for (const label of labels) marks.append(text(label.x, label.y, label.words, "start", `mr-name ${label.color}`));
    return places;
  };

  /** Horizontal bars [{label, value, note}] on a log axis that ends at `ceiling`, a dotted line. */
  const bars = (image, { title, ceiling, bars }, width, height) => {
    grow(image, width, height);
    const box = { left: 70, right: width - 96, top: 12, bottom: height - 46 };
    const x = { from: 10 ** Math.floor(Math.log10(Math.min(...bars.map((bar) => bar.value)) / 2)), to: ceiling, log: true };
    const sx = scale(x, box.left, box.right);
    const step = (box.bottom - box.top) / bars.length;
    Object.assign(image.dataset, { x: [x.from, x.to], box: Object.values(box) });
    for (const value of ticks(x, box.right - box.left, 60))
      image.append(line(sx(value), box.top, sx(value), box.bottom, "mr-grid"),
        text(sx(value), box.bottom + 19, number(value), "middle", "mr-tick"));
    image.append(line(sx(ceiling), box.top - 6, sx(ceiling), box.bottom, "mr-rule"));
    bars.forEach(({ label, value, note }, i) => {
      const middle = box.top + (i + 0.5) * step;
      image.append(rect(box.left, middle - step * 0.32, sx(value) - box.left, step * 0.64, "mr-bar c0", { rx: 2, "data-id": label }),
        text(box.left - 10, middle + 4, label, "end"), text(sx(value) + 7, middle + 4, note, "start", "mr-name"));
    });
    image.append(line(box.left, box.top, box.left, box.bottom, "mr-axis"), text(box.right, height - 8, title, "end"));
  };

  return { plot, bars };
})();
