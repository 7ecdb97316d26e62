/* Line chart, bar chart and heat map: each paints a spec into an SVG element of a given size. */
"use strict";

mbsgdReplay.charts = (() => {
  const { svg, round } = mbsgdReplay;

  const scale = (from, to, start, end, log) => {
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

  /** The powers of ten of a log axis, with 2 and 5 or 3 between them where there is room. */
  const logTicks = (from, to, wanted) => {
    const low = Math.floor(Math.log10(from) + 1e-9);
    const decades = Array.from({ length: Math.ceil(Math.log10(to)) - low + 1 }, (_, i) => low + i);
    const inside = (digits) =>
      decades.flatMap((power) => digits.map((digit) => round(digit * 10 ** power, 6)))
        .filter((value) => value >= from * 0.999 && value <= to * 1.001);
    const sets = [[1, 2, 5], [1, 3], [1]].map(inside);
    const every = Math.ceil(sets[2].length / wanted);
    return sets.find((set) => set.length <= wanted) ?? sets[2].filter((_, i) => i % every === 0);
  };

  const ticks = (from, to, wanted, log) => (log ? logTicks : linearTicks)(from, to, wanted);

  const text = (x, y, words, anchor = "start", name = "") =>
    svg("text", { x: round(x, 5), y: round(y, 5), "text-anchor": anchor, class: name }, words);

  const line = (x1, y1, x2, y2, name) => svg("line", { x1, y1, x2, y2, class: name });

  const grow = (image, width, height) => {
    image.replaceChildren();
    for (const [key, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height }))
      image.setAttribute(key, value);
  };

  /** Move labels up, from the lowest on, that would stand on one another. */
  const spread = (labels, gap, bottom) =>
    labels.sort((a, b) => b.y - a.y).forEach((label, i) => {
      label.y = Math.min(label.y, bottom);
      for (const below of labels.slice(0, i))
        if (Math.abs(below.x - label.x) < below.width) label.y = Math.min(label.y, below.y - gap);
    });

  /**
   * Lines over a linear or logarithmic x-axis.
   *
   * spec: x {label, format, log, from, to}, where a linear axis starts at 0, y {label, from, to,
   * digits}, rules [{y, label, name, below}], and series [{id, x, y, color, label, key, strong, stop}], labelled by `key` where it is narrow, with
   * an open circle at the mark number `stop`. Returns the places of the marks on the picture.
   */
  const lines = (image, { x, y, rules, series }, width, height) => {
    grow(image, width, height);
    const wide = width >= 620;
    const box = { left: 44, right: width - (wide ? 140 : 22), top: 30, bottom: height - 46 };
    const from = x.log ? x.from : 0;
    const { to } = x;
    const sx = scale(from, to, box.left, box.right, x.log);
    const sy = scale(y.from, y.to, box.bottom, box.top);
    Object.assign(image.dataset, { x: [from, to], y: [y.from, y.to], box: Object.values(box), log: +!!x.log });

    for (const value of linearTicks(y.from, y.to, (box.bottom - box.top) / 45))
      image.append(line(box.left, sy(value), box.right, sy(value), "mr-grid"),
        text(box.left - 8, sy(value) + 4, value.toFixed(y.digits), "end", "mr-tick"));
    for (const value of ticks(from, to, (box.right - box.left) / 75, x.log))
      image.append(line(sx(value), box.bottom, sx(value), box.bottom + 5, "mr-axis"),
        text(sx(value), box.bottom + 19, x.format(value), "middle", "mr-tick"));
    image.append(
      line(box.left, box.bottom, box.right, box.bottom, "mr-axis"),
      text(box.left - 36, box.top - 14, y.label, "start", "mr-title"),
      text(box.right, height - 8, x.label, "end", "mr-title"));
    for (const rule of rules)
      image.append(line(box.left, sy(rule.y), box.right, sy(rule.y), `mr-rule ${rule.name ?? ""}`),
        text(box.left + 6, sy(rule.y) + (rule.below ? 15 : -6), rule.label, "start", "mr-note"));

    const inside = [box.left, box.top - 8, box.right - box.left, box.bottom - box.top + 8];
    const curves = svg("svg", { x: inside[0], y: inside[1], width: inside[2], height: inside[3], viewBox: inside });
    const marks = svg("g");
    image.append(curves, marks);
    const labels = [];
    const places = [];
    for (const each of series) {
      const points = each.x.map((value, i) => ({ x: sx(value), y: sy(each.y[i]), index: i }))
        .filter((point) => Number.isFinite(point.x));
      places.push(...points.filter((point) => point.y >= box.top).map((point) => ({ ...point, series: each })));
      if (!points.length) continue;
      curves.append(svg("path", {
        d: "M" + points.map((point) => `${point.x.toFixed(2)},${point.y.toFixed(2)}`).join("L"),
        class: `mr-line ${each.color}${each.strong ? " mr-strong" : ""}`, "data-id": each.id,
      }));
      const visible = points.findLastIndex((point) => point.y >= box.top);
      const away = visible < points.length - 1;
      const end = points[visible] ?? points[0];
      const top = away ? box.top + 2 : end.y;
      if (!away) marks.append(svg("circle", { cx: end.x, cy: end.y, r: 4, class: `mr-dot ${each.color}` }));
      if (sy(each.y[each.stop]) >= box.top)
        marks.append(svg("circle", { cx: sx(each.x[each.stop]), cy: sy(each.y[each.stop]), r: 5, class: `mr-ring ${each.color}` }));
      const words = (away ? "↑ " : "") + (wide ? each.label : each.key);
      labels.push({ x: end.x + (away ? 4 : 9), y: top + 4, width: 7.5 * words.length, words, color: each.color });
    }
    spread(labels, 16, box.bottom);
    for (const label of labels)
      marks.append(text(label.x, label.y, label.words, "start", `mr-name ${label.color}`));
    return places;
  };

  /** Horizontal bars. spec: title, format, log, ceiling, bars [{label, value, note, color, id}]. */
  const bars = (image, { title, format, log, ceiling, bars: all }, width, height) => {
    grow(image, width, height);
    const box = { left: 70, right: width - 96, top: 12, bottom: height - 46 };
    const from = log ? 10 ** Math.floor(Math.log10(Math.min(...all.map((bar) => bar.value)))) : 0;
    const to = ceiling;
    const sx = scale(from, to, box.left, box.right, log);
    const step = (box.bottom - box.top) / all.length;
    Object.assign(image.dataset, { x: [from, to], box: Object.values(box), log: +!!log });
    for (const value of ticks(from, to, (box.right - box.left) / 60, log))
      image.append(line(sx(value), box.top, sx(value), box.bottom, "mr-grid"),
        text(sx(value), box.bottom + 19, format(value), "middle", "mr-tick"));
    image.append(line(sx(ceiling), box.top - 6, sx(ceiling), box.bottom, "mr-rule"));
    all.forEach((bar, i) => {
      const middle = box.top + (i + 0.5) * step;
      image.append(
        svg("rect", { x: box.left, y: middle - step * 0.32, height: step * 0.64, rx: 2,
          width: Math.max(1, sx(bar.value) - box.left).toFixed(2), class: `mr-bar ${bar.color}`, "data-id": bar.id }),
        text(box.left - 10, middle + 4, bar.label, "end", "mr-title"),
        text(sx(bar.value) + 7, middle + 4, bar.note, "start", "mr-name"));
    });
    image.append(line(box.left, box.top, box.left, box.bottom, "mr-axis"),
      text(box.right, height - 8, title, "end", "mr-title"));
  };

  /**
   * A grid of coloured cells. spec: x, y (titles), columns, rows (labels, "" for none),
   * cells[row][column] {id, shade (0 … 1, null for a cross), ring (a colour), title}, pick(id).
   */
  const heatMap = (image, { x, y, columns, rows, cells, pick }, width, height) => {
    grow(image, width, height);
    const box = { left: 44, right: width - 4, top: 22, bottom: height - 34 };
    const w = (box.right - box.left) / columns.length;
    const tall = (box.bottom - box.top) / rows.length;
    const middle = (i, j) => [box.left + (j + 0.5) * w, box.bottom - (i + 0.5) * tall];
    image.append(text(8, 12, y, "start", "mr-title"), text(box.right, height - 4, x, "end", "mr-title"),
      ...rows.map((label, i) => text(box.left - 7, middle(i, 0)[1] + 4, label, "end", "mr-tick")),
      ...columns.map((label, j) => text(middle(0, j)[0], box.bottom + 14, label, "middle", "mr-tick")));
    cells.forEach((row, i) => row.forEach(({ id, shade, ring, title }, j) => {
      const [cx, cy] = middle(i, j);
      const cell = { x: cx - w / 2 + 1, y: cy - tall / 2 + 1, width: w - 2, height: tall - 2, rx: 2 };
      image.append(shade === null
        ? svg("path", { d: `M${cx - 3},${cy - 3}l6,6m0,-6l-6,6`, class: "mr-cross" })
        : svg("rect", { ...cell, class: "mr-cell", style: `--shade:${round(100 * shade)}%` }));
      if (ring) image.append(svg("rect", { ...cell, class: `mr-ringed ${ring}` }));
      image.append(svg("rect", { ...cell, class: "mr-hit", "data-id": id, onclick: () => pick(id) }, svg("title", {}, title)));
    }));
  };

  return { lines, bars, heatMap };
})();
