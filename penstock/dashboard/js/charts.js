// Pages a second and latency over time, drawn by uPlot; and in words, for those who see no picture.

import { el, setAttr, setText } from "./dom.js";
import { clock, milliseconds, rate } from "./text.js";
import { RECENT_SECONDS, Series, summary } from "./series.js";

const HEIGHT = 190;
/** The words below a chart need not follow each point. */
const WORDS_MS = 2_000;
/** A crawl that has just begun is drawn over this much time. */
const NARROWEST_SECONDS = 60;
const SYNC = "crawl";
/** Columns from this one on are known since the page is open only: the recent view alone shows them. */
const FIRST_LIVE = 4;
const CHARTS = [
    {
        title: "Pages per second",
        spell: rate,
        lines: [
            [1, "fetched", "--ok", true],
            [2, "failed", "--bad", false],
        ],
        axis: (value) => String(+value.toFixed(2)),
    },
    {
        title: "Latency",
        spell: milliseconds,
        lines: [
            [3, "mean", "--chart-soft", true],
            [4, "median, live", "--accent", false],
            [5, "95th percentile, live", "--warn", false],
        ],
        axis: (value) => (value < 1000 ? `${value} ms` : `${value / 1000} s`),
    },
];

/** Both charts and the choice of how far back they look. `update()` draws what the series has; `since` is Unix ms. */
export function makeCharts(now, since) {
    const series = new Series();
    const charts = CHARTS.map(makeChart);
    const state = { view: "recent", since: since === null ? null : since / 1000, wasChosen: false, wordsAt: 0 };
    const update = () => draw({ series, charts, state, now });
    const range = makeRange((view) => {
        Object.assign(state, { view, wasChosen: true, wordsAt: 0 });
        update();
    });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => (charts.forEach(forget), update());
    scheme.addEventListener("change", repaint);
    const resized = new ResizeObserver(() => charts.forEach(fit));
    charts.forEach((chart) => resized.observe(chart.holder));
    return {
        nodes: charts.map((chart) => chart.node),
        range: range.node,
        series,
        update,
        /** A crawl that is over is looked at as a whole, unless its watcher chose otherwise. */
        prefer: (view) => state.wasChosen || ((state.view = view), range.show(view)),
        stop: () => (scheme.removeEventListener("change", repaint), resized.disconnect(), charts.forEach(forget)),
    };
}

function makeRange(choose) {
    const make = (view, text) =>
        el("button", {
            type: "button",
            "aria-pressed": "false",
            "data-view": view,
            text,
            on: { click: () => (show(view), choose(view)) },
        });
    const buttons = [make("recent", "Last 5 minutes"), make("whole", "Whole crawl")];
    const show = (view) => buttons.forEach((node) => setAttr(node, "aria-pressed", String(node.dataset.view === view)));
    show("recent");
    return {
        node: el("div", { class: "switch", role: "group", "aria-label": "Time shown in the charts" }, ...buttons),
        show,
    };
}

function makeChart(spec) {
    const id = `c-${spec.title.toLowerCase().replaceAll(" ", "-")}`;
    const holder = el("div", { class: "plot", "aria-hidden": "true" });
    const words = el("p", { class: "chart-words num" });
    const readout = el("p", { class: "chart-at num", "aria-hidden": "true" });
    const keys = spec.lines.map(([, name, colour]) => el("span", { class: `key k${colour}`, text: name }));
    const heading = el("h2", { id, text: spec.title });
    const head = el("div", { class: "panel-head" }, heading, el("p", { class: "keys" }, ...keys));
    const node = el(
        "section",
        { class: "panel chart", "aria-labelledby": id },
        head,
        holder,
        el("div", { class: "chart-foot" }, words, readout),
    );
    return { spec, node, holder, words, readout, keys, plot: null };
}

function draw({ series, charts, state, now }) {
    const at = now() / 1000;
    const columns = series.columns(state.view, at);
    for (const chart of charts) {
        if (!chart.plot) start(chart);
        chart.window =
            state.view === "recent"
                ? [Math.max(at - RECENT_SECONDS, Math.min(state.since ?? at, at - NARROWEST_SECONDS)), at]
                : null;
        const isHidden = ([column]) => state.view === "whole" && column >= FIRST_LIVE;
        chart.keys.forEach((key, line) => (key.hidden = isHidden(chart.spec.lines[line])));
        chart.plot?.setData([columns[0], ...chart.spec.lines.map(([index]) => columns[index])]);
        if (Date.now() - state.wordsAt > WORDS_MS) say(chart, columns);
    }
    if (columns[0].length && Date.now() - state.wordsAt > WORDS_MS) state.wordsAt = Date.now();
}

function say({ spec, words }, columns) {
    const found = spec.lines.map(([at]) => summary(columns[at])).find(({ mean }) => mean !== null);
    if (!found) return setText(words, "Nothing to draw yet.");
    const { last, mean, peak } = found;
    setText(words, `last ${spec.spell(last)}, on average ${spec.spell(mean)}, at most ${spec.spell(peak)}`);
}

function start(chart) {
    if (!chart.holder.isConnected || !chart.holder.clientWidth) return;
    chart.plot = new globalThis.uPlot(options(chart), [[], ...chart.spec.lines.map(() => [])], chart.holder);
}

function forget(chart) {
    chart.plot?.destroy();
    chart.plot = null;
}

function fit(chart) {
    const width = chart.holder.clientWidth;
    if (chart.plot && width && chart.plot.width !== width) chart.plot.setSize({ width, height: HEIGHT });
}

function options(chart) {
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = {
        stroke: colour("--muted"),
        font: `12px ${getComputedStyle(document.body).fontFamily}`,
        grid: { stroke: colour("--line"), width: 1 },
        ticks: { show: false },
    };
    const line = ([, label, name, filled]) => ({
        label,
        stroke: colour(name),
        width: 1.75,
        points: { show: (plot) => plot.data[0].length < 3, size: 6 },
        fill: filled ? `${colour(name)}22` : undefined,
        spanGaps: false,
    });
    return {
        width: chart.holder.clientWidth,
        height: HEIGHT,
        padding: [10, 8, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: SYNC }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
        scales: {
            x: { time: true, range: (plot) => chart.window ?? wide(plot.data[0]) },
            y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] },
        },
        axes: [
            { ...axis, space: 70, size: 28, values: (_, splits, __, ___, step) => splits.map((at) => label(at, step)) },
            { ...axis, space: 36, size: 56, values: (_, splits) => splits.map((value) => chart.spec.axis(value)) },
        ],
        series: [{}, ...chart.spec.lines.map(line)],
        hooks: { setCursor: [(plot) => point(chart, plot)] },
    };
}

/** A crawl that was over at once is not drawn over years. */
function wide(times) {
    const [least, most] = [times[0] ?? 0, times.at(-1) ?? 0];
    const middle = (least + most) / 2;
    const half = Math.max(most - least, NARROWEST_SECONDS) / 2;
    return [middle - half, middle + half];
}

function label(at, step) {
    const text = clock(at * 1000);
    if (step >= 86_400) return new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    return step >= 60 ? text.slice(0, 5) : text;
}

/** What the lines say at the time under the pointer. */
function point({ spec, readout }, plot) {
    const { idx } = plot.cursor;
    if (idx === null || idx === undefined) return setText(readout, "");
    const parts = spec.lines
        .map(([, name], at) => [name, plot.data[at + 1][idx]])
        .filter(([, value]) => value !== null && value !== undefined);
    const words = parts.map(([name, value]) => `${name} ${spec.spell(value)}`).join(", ");
    setText(readout, `${clock(plot.data[0][idx] * 1000)}  ${words}`);
}
