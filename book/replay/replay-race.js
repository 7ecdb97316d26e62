/* A race: the shown runs drawn in true relative time from a common start. */
"use strict";

mbsgdReplay.race = (view, { target, begin, repaint }) => {
  const { h, button, duration, round } = mbsgdReplay;
  const slowness = [1, 3, 10, 30, 100, 300, 1000];
  const steps = 1000; // of the time slider
  const comfortable = 8; // seconds on the reader's clock
  let race = null; // { runs, end, time, playing, clock, cut }

  /** A run up to the time of the race, its head between two marks. */
  const cut = ({ seconds, loss }, x) => {
    const i = seconds.findLastIndex((value) => value <= race.time);
    if (i === seconds.length - 1) return { x, y: loss };
    const part = (race.time - seconds[i]) / (seconds[i + 1] - seconds[i]);
    const between = (values) => [...values.slice(0, i + 1), values[i] + part * (values[i + 1] - values[i])];
    return { x: between(x), y: between(loss) };
  };

  const result = () => {
    const [winner, ...others] = [...race.runs].sort((a, b) => a.reached - b.reached || 0);
    if (winner.reached === Infinity) return `Nobody reaches ${target}.`;
    const rest = others.map(({ name, reached, diverged }) => reached < Infinity
      ? `${name} needs ${duration(reached)}, ${round(reached / winner.reached, 2)} times as long`
      : `${name} ${diverged ? "diverges" : "doesn’t arrive"}`);
    return `${winner.name} wins: loss ${target} after ${duration(winner.reached)}. ${rest.join("; ")}.`;
  };

  const move = (seconds) => {
    race.time = Math.min(seconds, race.end);
    if (race.time === race.end) race.playing = false;
    time.value = (steps * race.time) / race.end;
    clock.textContent = duration(race.time);
    time.setAttribute("aria-valuetext", clock.textContent);
    play.textContent = race.playing ? "Pause" : race.time < race.end ? "Go on" : "Again";
    repaint();
  };
  const tick = (now) => {
    if (!race?.playing) return;
    const passed = (now - race.clock) / 1000;
    race.clock = now;
    move(race.time + passed / speed.value);
    requestAnimationFrame(tick);
  };
  const run = () => {
    Object.assign(race, { playing: true, clock: performance.now() });
    requestAnimationFrame(tick);
  };
  const toggle = () => {
    if (race.playing) race.playing = false;
    else {
      if (race.time === race.end) race.time = 0;
      run();
    }
    move(race.time);
  };
  const start = () => {
    const runs = begin();
    const end = Math.max(...runs.map(({ reached, seconds }) => Math.min(reached, seconds.at(-1))));
    race = view.race = { runs, end, cut };
    speed.value = slowness.find((each) => each * end >= comfortable) ?? slowness.at(-1);
    panel.hidden = false;
    open.hidden = true;
    play.focus();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!still) run();
    move(still ? end : 0);
  };
  const stop = () => {
    race = view.race = null;
    panel.hidden = true;
    open.hidden = false;
  };

  const open = button("Race", start, { class: "mr-main" });
  const play = button("Pause", toggle, { class: "mr-main" });
  const speed = h("select", { "aria-label": "Race speed" },
    ...slowness.map((value) => h("option", { value }, value > 1 ? `${value}× slower` : "real time")));
  const time = h("input", { type: "range", min: 0, max: steps, "aria-label": "Race time",
    oninput: () => ((race.playing = false), move((time.value / steps) * race.end)) });
  const clock = h("span", { class: "mr-clock", "aria-hidden": true });
  const panel = h("span", { class: "mr-racing" }, play, speed, time, clock,
    button("End race", () => (stop(), repaint(), open.focus())));
  panel.hidden = true;

  return {
    element: h("span", { class: "mr-racing" }, open, panel),
    /** Another choice of runs ends the race. */
    check: (runs) => race?.runs.some((each, i) => each !== runs[i]) && stop(),
    words: () => race && (race.time < race.end ? `Race to a loss of ${target} …` : result()),
  };
};
