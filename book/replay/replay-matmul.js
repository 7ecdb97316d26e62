/* Matrix products: the speed of each way by matrix size and block width. */
"use strict";

mbsgdReplay.kinds.matmul = (view, { widths, grid }) => {
  const { h, svg, count, round, duration, charts, slider } = mbsgdReplay;
  const sizes = grid.map((row) => row.n);
  const order = ["element", "row", "column", "panel", "tile", "whole"];
  const ceiling = Math.max(...grid.flatMap((row) => [row, ...row.blocked]).flatMap((each) => each.ways).map((way) => way.gflops));

  const chosen = () => grid.find((row) => String(row.n) === view.state.n);
  /** The recorded block width nearest to the chosen one: a block fits the matrix. */
  const block = () => {
    const distance = ({ width }) => Math.abs(width - view.state.width);
    return chosen().blocked.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  };
  const shown = () => [...chosen().ways, ...block().ways].sort((a, b) => order.indexOf(a.way) - order.indexOf(b.way));

  const summary = () => {
    const ways = shown();
    const { s, gflops } = ways.pop();
    return `A product of two ${view.state.n} × ${view.state.n} matrices, blocks ${block().width} wide: in one call ${round(gflops)} GFLOP/s (${duration(s)}), ` +
      `${ways.map((way) => `${count(round(gflops / way.gflops, 2))} times as fast as by ${way.way}`).join(", ")}.`;
  };

  const paint = (image, width, height) => {
    const bars = shown().map(({ way, gflops, rows }) => ({
      id: way, label: way, value: gflops, note: `${round(gflops)}${rows < chosen().n ? " *" : ""}`,
      color: /panel|tile/.test(way) ? "c0" : "c6",
    }));
    image.setAttribute("aria-label", `Bar chart of GFLOP/s: ${bars.map(({ label, note }) => `${label} ${note}`).join(", ")}`);
    charts.bars(image, { title: "speed (GFLOP/s)", log: view.state.log === "1", format: count, ceiling, bars }, width, height);
  };

  const rows = () => ["n,block_width,way,seconds,gflops,rows_timed",
    ...shown().map(({ way, s, gflops, rows }) => [view.state.n, block().width, way, s, gflops, rows])];
  const chart = svg("svg", { class: "mr-chart", role: "img" });
  const words = h("p", { class: "mr-summary", "aria-live": "polite" });
  view.draw = () => {
    view.controls.forEach((update) => update());
    const width = chart.parentNode.clientWidth;
    if (width) paint(chart, width, 300);
    words.textContent = summary();
  };

  // The first setting is the source's.
  return h("div", { class: "mr-body", role: "group", "aria-label": "Matrix products, recorded" },
    h("div", { class: "mr-sliders mr-pair" },
      slider(view, "n", { label: "Matrix size n", values: sizes, first: 256, speak: (n) => `matrix size ${n} by ${n}` }).element,
      slider(view, "width", { label: "Block width", values: widths, first: 64, speak: (width) => `block width ${width} columns` }).element),
    h("div", { class: "mr-row mr-axes" }, mbsgdReplay.check(view, "log", "log axis", 1), mbsgdReplay.files(view, () => view.name, rows, paint)),
    h("div", { class: "mr-frame" }, chart), words);
};
