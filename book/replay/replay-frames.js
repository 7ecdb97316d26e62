/* Frames: a picture for every position of the controls. */
"use strict";

mbsgdReplay.kinds.frames = (view, { controls, frames }) => {
  const { h, svg, charts, slider, choice, files } = mbsgdReplay;

  /** Frames stand in the order of the positions, the last control running fastest. */
  const frame = () => frames[controls.reduce((sum, { name, values }) =>
    sum * values.length + values.findIndex((value) => String(value) === view.state[name]), 0)];

  /** The borders of cells around centres. */
  const borders = (centers, log) => {
    const c = log ? centers.map(Math.log) : centers;
    const between = c.slice(1).map((value, i) => (value + c[i]) / 2);
    const all = [2 * c[0] - between[0], ...between, 2 * c.at(-1) - between.at(-1)];
    return log ? all.map(Math.exp) : all;
  };
  const pairs = (values) => values.slice(1).map((value, i) => [values[i], value]);

  const boxes = ({ heat, histogram, log_x, log_y }) => {
    if (histogram) return pairs(histogram.edges).map((x, i) => ({ x, y: [0, histogram.counts[i]], shade: 60 }));
    if (!heat) return [];
    const all = heat.z.flat().filter((value) => value !== null);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const columns = pairs(borders(heat.x, log_x));
    return pairs(borders(heat.y, log_y)).flatMap((y, i) => columns.flatMap((x, j) =>
      heat.z[i][j] === null ? [] : { x, y, shade: Math.round((100 * (heat.z[i][j] - low)) / (high - low || 1)) }));
  };

  const axis = (label, log, limits, values) => {
    const known = values.filter((value) => value !== null && (!log || value > 0));
    const [from, to] = limits ?? [Math.min(...known), Math.max(...known)];
    return { label, log, from, to };
  };
  const color = (i) => `c${frame().heat ? i + 1 : i}`;

  const paint = (image, width, height) => {
    const { chart, bars, xlabel, ylabel, log_x, log_y, xlim, ylim, lines = [], marks = [], text } = frame();
    image.setAttribute("aria-label", text);
    if (chart === "bar")
      return charts.bars(image, { title: xlabel, ceiling: Math.max(...bars.values, ...marks.map((mark) => mark.value)),
        bars: bars.labels.map((label, i) => ({ label, value: bars.values[i], note: bars.notes[i] })) }, width, height);
    const all = boxes(frame());
    const values = (key) => [...all.flatMap((each) => each[key]), ...lines.flatMap((each) => each[key])];
    charts.plot(image, {
      x: axis(xlabel, log_x, xlim, values("x")), y: axis(ylabel, log_y, ylim, values("y")), rules: marks, boxes: all,
      series: lines.map((each, i) => ({ ...each, id: each.name, color: color(i), name: each.dash ? "mr-dash" : "mr-strong" })),
    }, width, height);
  };

  const rows = () => {
    const { bars, heat, histogram, lines = [] } = frame();
    return ["series,x,y,z", ...lines.flatMap(({ name, x, y }) => x.map((value, i) => [`"${name}"`, value, y[i]])),
      ...(bars?.labels ?? []).map((label, i) => [label, "", bars.values[i]]),
      ...(histogram?.counts ?? []).map((value, i) => ["count", histogram.edges[i], value]),
      ...(heat?.z ?? []).flatMap((row, i) => row.map((z, j) => ["map", heat.x[j], heat.y[i], z]))];
  };

  const chart = svg("svg", { class: "mr-chart", role: "img" });
  const key = h("ul", { class: "mr-key" });
  const words = h("p", { class: "mr-summary", "aria-live": "polite" });
  view.draw = () => {
    view.controls.forEach((update) => update());
    const { heat, lines = [], text } = frame();
    const width = chart.parentNode.clientWidth;
    if (width) paint(chart, width, 340);
    const swatch = (name) => h("span", { class: `mr-swatch ${name}` });
    key.replaceChildren(...lines.map(({ name, dash }, i) => h("li", {}, swatch(`${color(i)} ${dash ? "mr-dashed" : ""}`), name)),
      ...(heat ? [h("li", {}, swatch("mr-ramp"), `${heat.label}: low to high`)] : []));
    if (words.textContent !== text) words.textContent = text;
  };

  const elements = controls.map(({ name, label, values, value }) => typeof values[0] === "number"
    ? slider(view, name, { label, values, first: value }).element
    : choice(view, name, label, values, value));
  return h("div", { class: "mr-body" },
    h("div", { class: "mr-sliders mr-pair" }, ...elements),
    h("div", { class: "mr-frame" }, chart),
    h("div", { class: "mr-row" }, key, files(view, () => view.name, rows, paint)), words);
};
