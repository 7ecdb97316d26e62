/* Recorded runs shown with controls and no kernel: elements, state, controls, files. */
"use strict";

window.mbsgdReplay = (() => {
  const kinds = {}; // kind -> function (view, recording); the other files fill it
  const views = new Map(); // name -> view, the replays of this page

  // Elements.

  const make = (namespace) => (tag, attributes = {}, ...children) => {
    const element = document.createElementNS(namespace, tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  };
  const h = make("http://www.w3.org/1999/xhtml");
  const svg = make("http://www.w3.org/2000/svg");

  const round = (value, digits = 3) => Number(value.toPrecision(digits));
  const count = (value) => value.toLocaleString("en-US");
  const show = (value) => value < 1e3 ? `${value}` : count(value);
  const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
  const duration = (seconds) => {
    const [factor, unit] = seconds >= 1 || !seconds ? [1, "s"] : seconds >= 1e-3 ? [1e3, "ms"] : [1e6, "µs"];
    return `${count(round(seconds * factor))}\u00a0${unit}`;
  };

  // State: what differs from the first setting stands in the fragment, as in
  // #training?b=1&lr=0.4;matmul?n=512, and all of it in the history entry, as an anchor may
  // replace the fragment.

  const snapshot = () => ({ mbsgd: Object.fromEntries([...views].map(([name, { state }]) => [name, { ...state }])) });

  const fragment = () =>
    [...views].flatMap(([name, { state, fields }]) => {
      const changed = Object.entries(state).filter(([key, value]) => value !== fields[key].first);
      return changed.length ? `${name}?${changed.map((pair) => pair.join("=")).join("&")}` : [];
    }).join(";");

  const parse = () => {
    const parts = location.hash.slice(1).split(";").map((part) => part.split("?"));
    const ours = parts.filter(([name, query]) => query && views.has(name));
    return ours.map(([name, query]) => [name, Object.fromEntries(new URLSearchParams(query))]);
  };

  const restore = (states) =>
    views.forEach(({ state, fields, draw }, name) => {
      for (const [key, { first, valid }] of Object.entries(fields)) {
        const value = states[name]?.[key] ?? first;
        state[key] = valid(value) ? value : first;
      }
      draw();
    });

  let last = {};
  /** Write the state to the address; quick changes of one control make one history entry. */
  const save = (control) => {
    const merge = control === last.control && performance.now() - last.time < 1000;
    last = { control, time: performance.now() };
    const hash = fragment();
    history[merge ? "replaceState" : "pushState"](snapshot(), "", location.href.split("#")[0] + (hash && `#${hash}`));
  };

  /** Show the state of a history entry, else of the address, else what is shown already. */
  const follow = (entry) => {
    const linked = parse();
    if (entry?.mbsgd) restore(entry.mbsgd);
    else if (linked.length) {
      restore(Object.fromEntries(linked));
      views.get(linked[0][0]).root.scrollIntoView();
    }
    history.replaceState({ ...history.state, ...snapshot() }, "");
  };

  // Controls: each registers its field of the state.

  const field = (view, key, values, first) =>
    (view.fields[key] = { first: String(first), valid: (value) => values.map(String).includes(value) });

  /** A range over a list of values; `speak` gives a screen reader's words. */
  const slider = (view, key, { label, values, first, speak = show, ticks = (_, i) => i % Math.ceil(values.length * show(values.at(-1)).length / 35) === 0 }) => {
    field(view, key, values, first);
    const id = `${view.name}-${key}`;
    const value = h("span", { class: "mr-value", "aria-hidden": true });
    const place = (position) => `--at:${position / (values.length - 1)}`;
    const input = h("input", {
      type: "range", id, min: 0, max: values.length - 1,
      oninput: () => view.change({ [key]: String(values[input.value]) }),
      onchange: () => save(id),
    });
    const scale = h("div", { class: "mr-ticks", "aria-hidden": true },
      ...values.map((each, index) => h("span", { style: place(index) }, ticks(each, index) ? show(each) : "")));
    view.controls.push(() => {
      const index = values.findIndex((each) => String(each) === view.state[key]);
      input.value = index;
      input.style = place(index);
      input.setAttribute("aria-valuetext", speak(values[index]));
      value.textContent = show(values[index]);
    });
    return { scale, place, element: h("div", { class: "mr-slider" }, h("label", { for: id }, label), " ", value, input, scale) };
  };

  const choice = (view, key, label, options, first = options[0]) => {
    field(view, key, options, first);
    const name = `${view.name}-${key}`;
    return h("fieldset", { class: "mr-choice" }, h("legend", {}, label), ...options.map((value) => {
      const input = h("input", { type: "radio", name, value, onchange: () => view.set({ [key]: input.value }, name) });
      view.controls.push(() => (input.checked = input.value === view.state[key]));
      return h("label", {}, input, h("span", {}, { true: "yes", false: "no" }[value] ?? value));
    }));
  };

  const check = (view, key, text, first) => {
    field(view, key, [0, 1], first);
    const input = h("input", { type: "checkbox", onchange: () => view.set({ [key]: String(+input.checked) }, key) });
    view.controls.push(() => (input.checked = view.state[key] === "1"));
    return h("label", { class: "mr-check" }, input, text);
  };

  const button = (text, onclick, attributes = {}) => h("button", { type: "button", onclick, ...attributes }, text);

  // Files.

  const download = (name, blob) => {
    const href = URL.createObjectURL(blob);
    h("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10000);
  };

  /** Save what `paint(svg, width, height)` draws, in the page's colours, as a picture. */
  const savePNG = (view, name, paint, width = 900, height = 480) => {
    const image = svg("svg", { class: "mr-chart mr-offscreen" });
    view.root.append(image);
    paint(image, width, height);
    for (const element of image.querySelectorAll("*")) {
      const computed = getComputedStyle(element);
      const drawn = [...computed].filter((each) => /^(fill|stroke|font|opacity|paint)/.test(each));
      element.setAttribute("style", drawn.map((each) => `${each}:${computed.getPropertyValue(each)}`).join(";"));
    }
    const background = getComputedStyle(image).backgroundColor;
    image.remove();
    const picture = new Image();
    picture.onload = () => {
      const canvas = h("canvas", { width: 2 * width, height: 2 * height });
      const context = canvas.getContext("2d");
      context.fillStyle = background;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => download(`${name}.png`, blob));
    };
    picture.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(image))}`;
  };

  /** The two files of what is shown: `rows` make the table, `paint` the picture. */
  const files = (view, name, rows, paint) =>
    h("span", { class: "mr-files" }, "Download ",
      button("CSV", () => download(`${name()}.csv`, new Blob([rows().join("\n") + "\n"], { type: "text/csv" })), { class: "mr-link" }), " ",
      button("PNG", () => savePNG(view, name(), paint), { class: "mr-link" }));

  // Start.

  /** Put a replay in the place of its static figure. */
  const open = (root) => {
    const view = {
      root, name: root.dataset.name, state: {}, fields: {}, controls: [],
      change: (changes) => (Object.assign(view.state, changes), view.draw()),
      set: (changes, control) => (view.change(changes), save(control)),
    };
    views.set(view.name, view);
    const body = kinds[root.dataset.kind](view, JSON.parse(root.querySelector("script").textContent));
    for (const [key, value] of Object.entries(JSON.parse(root.dataset.state))) view.fields[key].first = value;
    root.querySelector("figure").replaceWith(body);
    new ResizeObserver(() => view.draw()).observe(body);
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".mbsgd-replay[data-kind]").forEach(open);
    restore({});
    follow(history.state);
    addEventListener("popstate", (event) => follow(event.state));
  });

  return { kinds, h, svg, round, count, plural, duration, slider, choice, check, button, files };
})();
