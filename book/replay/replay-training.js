/* Training: recorded runs by batch size and learning rate, compared and raced. */
"use strict";

mbsgdReplay.kinds.training = (view, { n, floor, target, limit, limitPlace, clip, rates, source, grid }) => {
  const { h, svg, count, plural, duration, round, charts, button, slider, check } = mbsgdReplay;
  const sizes = grid.map((row) => row.b);
  const labels = { epochs: "epochs (passes over the data)", updates: "updates", seconds: "training time" };
  const letters = "ABCDEF";

  // The recording, unpacked.

  const unpack = ({ b, updates, runs }) =>
    runs.map(({ us, loss, diverged }, i) => {
      const perEpoch = Math.ceil(n / b); // updates; the last batch may be short
      const marks = updates.slice(0, loss.length);
      const epochs = marks.map((u) => Math.floor(u / perEpoch) + ((u % perEpoch) * b) / n);
      let elapsed = 0;
      const seconds = [0, ...us.map((step) => (elapsed += step) / 1e6)];
      const losses = loss.map((value) => value / 1e5);
      const reached = seconds[losses.findIndex((value) => value <= target)] ?? Infinity;
      const lr = rates[i];
      return { id: `${b}@${lr}`, name: `b ${b}, lr ${lr}`, b, lr, diverged, loss: losses, updates: marks, epochs, seconds,
        reached, final: losses.at(-1), perEpoch: seconds.at(-1) / epochs.at(-1) };
    });
  const runs = new Map(grid.flatMap(unpack).map((run) => [run.id, run]));
  const find = (b, lr) => runs.get(`${b}@${lr}`);
  const current = () => find(view.state.b, view.state.lr);
  /** The kept runs; their places, some of them empty, give letters and colours. */
  const kept = () => view.state.keep.split(",");
  const shown = () => [current(), ...kept().filter((id) => id && id !== current().id).map((id) => runs.get(id))];
  const sourceOf = (b, lr) => source.find((each) => each.b === b && each.lr === lr);

  const color = (run) => `c${kept().indexOf(run.id) + 1}`;
  const letter = (run) => letters[kept().indexOf(run.id)] ?? "";

  // Words.

  const lossWords = (loss) => (loss >= clip ? `more than ${clip}` : loss.toPrecision(4));

  const outcome = (run) => {
    const end = `${plural(run.epochs.at(-1), "epoch")} (${plural(run.updates.at(-1), "update")}, ${duration(run.seconds.at(-1))})`;
    if (!run.diverged) {
      const excess = `${round(100 * (run.final / floor - 1), 2)}% above the least-squares floor`;
      const first = run.reached < Infinity ? `It first reaches ${target} after ${duration(run.reached)}` : `It doesn’t reach ${target}`;
      return `After ${end} the loss is ${lossWords(run.final)}, ${excess}. ${first}; one epoch takes ${duration(run.perEpoch)}.`;
    }
    const best = run.loss.indexOf(Math.min(...run.loss));
    const turn = best ? `is lowest, ${lossWords(run.loss[best])}, after ${plural(run.updates[best], "update")}, then grows` : "grows from the start";
    return `Diverges: the loss ${turn}, and is ${lossWords(run.final)} after ${end}.`;
  };

  const summary = (run) => `Batch size ${run.b}, learning rate ${run.lr}. ${outcome(run)}` + (run.b < n ? "" :
    ` Full-batch gradient descent is stable below 2/λmax = ${round(limit)}: this learning rate is ${run.lr < limit ? "below" : "above"} it.`);

  // The chart.

  const series = (run) => {
    const all = run[view.state.x];
    const { x, y } = view.race ? view.race.cut(run, all) : { x: all, y: run.loss };
    const epochs = !view.race && sourceOf(run.b, run.lr)?.epochs;
    return { id: run.id, color: color(run), key: letter(run) || " ", label: (letter(run) && `${letter(run)}: `) + run.name, name: run === current() ? "mr-strong" : "",
      x, y, stop: epochs && run.epochs.findIndex((value) => value >= epochs - 1e-9) };
  };

  const paint = (image, width, height) => {
    const zoom = view.state.zoom === "1";
    const log = view.state.log === "1";
    const drawn = shown();
    const all = drawn.map((run) => run[view.state.x]);
    image.setAttribute("aria-label", `Line chart of loss against ${labels[view.state.x]}: ${drawn.map((run) => run.name).join("; ")}`);
    return charts.plot(image, {
      x: { label: labels[view.state.x], format: view.state.x === "seconds" ? duration : count, log,
        from: log ? Math.min(...all.map((x) => x[1])) : 0, to: Math.max(...all.flat()) },
      y: { label: "loss (half the mean squared error)", format: (value) => value.toFixed(zoom ? 3 : 2),
        ...(zoom ? { from: 0.24, to: 0.26 } : { from: 0.23, to: 0.36 }) },
      rules: [{ value: floor, label: `least-squares floor ${floor.toFixed(4)}`, below: true },
        ...(view.race ? [{ value: target, label: `finish: ${target}`, name: "mr-finish" }] : [])],
      series: drawn.map(series).reverse(),
    }, width, height);
  };

  const chart = svg("svg", { class: "mr-chart", role: "img" });
  const readout = h("p", { class: "mr-readout", "aria-hidden": true });
  let places = [];
  /** Tell the values at the mark next to the pointer. */
  const hover = ({ offsetX, offsetY }) => {
    const distance = ({ x, y }) => Math.hypot(x - offsetX, (y - offsetY) / 2);
    const { x, y, index, series } = places.reduce((a, b) => (distance(b) < distance(a) ? b : a), { x: Infinity });
    chart.querySelector(".mr-hover")?.remove();
    readout.textContent = "";
    if (!(distance({ x, y }) < 60)) return;
    const run = runs.get(series.id);
    chart.append(svg("circle", { cx: x, cy: y, r: 5, class: `mr-hover ${series.color}` }));
    readout.textContent = `${run.name}: loss ${run.loss[index].toFixed(4)} after ${plural(round(run.epochs[index]), "epoch")}, ${plural(run.updates[index], "update")}, ${duration(run.seconds[index])}`;
  };
  chart.addEventListener("pointermove", hover);
  chart.addEventListener("pointerleave", () => hover({}));

  // The map: both sliders at once.

  const map = h("div", { class: "mr-map", role: "img", "aria-label": "Map of the final loss; the sliders choose the same runs.",
    onclick: ({ target }) => target.title && go(runs.get(target.dataset.id), "map") });
  const shade = (run) => 100 + 20 * Math.log10(Math.max(run.final / floor - 1, 1e-5));
  const paintMap = () => map.replaceChildren(...rates.toReversed().flatMap((lr) => sizes.map((b) => {
    const run = find(b, lr);
    const ring = run === current() ? "mr-here" : letter(run) && `mr-ringed ${color(run)}`;
    return h("span", { class: `${run.diverged ? "" : "mr-cell"} ${ring}`, style: `--shade:${shade(run)}%`, "data-id": run.id,
      title: `${run.name}: ${run.diverged ? "diverges" : lossWords(run.final)}` }, run.diverged ? "×" : "");
  })));

  // Controls.

  const ofSource = (key) => (value) => source.some((each) => each[key] === value);
  const go = ({ b, lr }, control) => view.set({ b: String(b), lr: String(lr) }, control);
  const keep = (ids, control) => view.set({ keep: ids.join(",").replace(/,+$/, "") }, control);
  const drop = (run) => keep(kept().map((id) => (id === run.id ? "" : id)), run.id);
  const hold = (run) => {
    const ids = kept();
    const free = ids.indexOf("");
    ids[free < 0 ? ids.length : free] = run.id;
    keep(ids, run.id);
  };

  // The first setting is the source's third run: neither the slowest nor one that diverges.
  const batch = slider(view, "b", { label: "Batch size", values: sizes, first: source[2].b,
    speak: (b) => `batch size ${b}`, ticks: ofSource("b") });
  const rate = slider(view, "lr", { label: "Learning rate", values: rates, first: source[2].lr,
    speak: (lr) => `learning rate ${lr}`, ticks: ofSource("lr") });
  view.fields.keep = { first: "", valid: (value) => value.split(",").every((id, i) => i < letters.length && (!id || runs.has(id))) };
  const limitMark = h("span", { class: "mr-limit", style: rate.place(limitPlace) }, `2/λmax = ${round(limit)}`);
  rate.scale.append(limitMark);

  const presets = source.map((each) => button(each.title, () => go(each, each.title)));
  const keepButton = button("Keep this run", () => hold(current()), { class: "mr-main" });
  const clearButton = button("Clear", () => keep([], "clear"));
  const race = mbsgdReplay.race(view, {
    target,
    begin: () => {
      if (!view.state.keep) keep(source.map((each) => find(each.b, each.lr).id), "race");
      return shown();
    },
    repaint: () => drawChart(),
  });

  // The legend, a table.

  const row = (run) => {
    const remove = () => (drop(run), keepButton.focus());
    return h("tr", { class: run === current() ? "mr-current" : "" },
      h("th", { scope: "row" }, h("span", { class: `mr-swatch ${color(run)}` }, letter(run)), run.name),
      ...[duration(run.perEpoch), run.reached < Infinity ? duration(run.reached) : "never", run.diverged ? "diverges" : run.final.toFixed(4),
        letter(run) ? button("×", remove, { class: "mr-remove", "aria-label": `Remove ${run.name}` }) : ""].map((each) => h("td", {}, each)));
  };
  const tableBody = h("tbody");
  const table = h("table", { class: "mr-legend" },
    h("thead", {}, h("tr", {}, ...["Run", "One epoch", `To ${target}`, "Final loss"].map((each) => h("th", { scope: "col" }, each)), h("td"))),
    tableBody);

  // Together.

  const rows = () => ["batch_size,learning_rate,updates,epochs,seconds,loss",
    ...shown().flatMap((run) => run.updates.map((u, i) => [run.b, run.lr, u, round(run.epochs[i], 6), run.seconds[i], run.loss[i]]))];
  const words = h("p", { class: "mr-summary", "aria-live": "polite" });

  const drawChart = () => {
    const width = chart.parentNode.clientWidth;
    if (width) places = paint(chart, width, Math.round(Math.min(400, Math.max(290, width * 0.52))));
    const say = race.words() ?? summary(current());
    if (words.textContent !== say) words.textContent = say;
  };
  view.draw = () => {
    race.check(shown());
    view.controls.forEach((update) => update());
    limitMark.hidden = current().b < n;
    presets.forEach((each, i) => each.setAttribute("aria-pressed", sourceOf(current().b, current().lr) === source[i]));
    keepButton.disabled = !!letter(current()) || shown().length > letters.length;
    clearButton.disabled = !view.state.keep;
    paintMap();
    tableBody.replaceChildren(...shown().map(row));
    drawChart();
  };

  return h("div", { class: "mr-body" },
    h("div", { class: "mr-row" }, h("span", { class: "mr-hint" }, "The source’s runs"), ...presets),
    h("div", { class: "mr-choose" }, h("div", { class: "mr-sliders" }, batch.element, rate.element),
      h("div", { class: "mr-mapbox" }, map, h("p", { class: "mr-hint" }, "Batch size →, learning rate ↑. Stronger blue: lower final loss; ×: diverges."))),
    h("div", { class: "mr-row mr-axes" }, mbsgdReplay.choice(view, "x", "Against", Object.keys(labels)),
      check(view, "log", "log axis", 1), check(view, "zoom", "zoom on the floor", 0)),
    h("div", { class: "mr-frame" }, chart, readout),
    h("div", { class: "mr-row" }, keepButton, clearButton, race.element, mbsgdReplay.files(view, () => view.name, rows, paint)),
    words, table);
};
