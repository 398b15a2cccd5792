// What waits at each stage, in the order in which a URL passes them.

import { el, keyed, panel, setText } from "./dom.js";
import { compact, count } from "./text.js";

const ORDER = [
    "scheduler.seed",
    "scraper.fetch",
    "scraper.parse",
    "scheduler.discover",
    "scheduler.settle",
    "storage.record",
    "penstock.notify",
];
const DOES = {
    "scheduler.seed": "plants seeds",
    "scraper.fetch": "gets pages",
    "scraper.parse": "reads pages",
    "scheduler.discover": "adds links",
    "scheduler.settle": "ends URLs",
    "storage.record": "writes to SQL",
    "penstock.notify": "tells webhooks",
    "storage.replay": "tells what is recorded",
    "scheduler.restore": "rebuilds the frontier",
};
/** A bar is full at this many; below, it grows by the logarithm, so that one entry is seen beside a thousand. */
const FULL = 10_000;
/** Shown only while something waits there: they work after an accident. */
const RARE = ["storage.replay", "scheduler.restore"];

/** The panel; `update(state)` draws it. */
export function makeStages() {
    const list = el("ul", { class: "stages" });
    const node = panel("Waiting at each stage", { note: "messages of all crawls; bars are logarithmic" }, list);
    return {
        node,
        update: (state) => keyed(list, stagesOf(state.backlog ?? {}), { key: ([name]) => name, make, update }),
    };
}

function stagesOf(backlog) {
    const others = Object.keys(backlog)
        .filter((name) => !ORDER.includes(name))
        .sort();
    const known = ORDER.filter((name) => name in backlog || name !== "penstock.notify");
    return [...known, ...others.filter((name) => backlog[name] || !RARE.includes(name))].map((name) => [
        name,
        backlog[name] ?? 0,
    ]);
}

function make([name]) {
    const words = el("span", { class: "stage-name", text: name.split(".").at(-1) });
    const does = el("span", { class: "stage-does", text: DOES[name] ?? "" });
    const meter = el("span", { class: "meter", "aria-hidden": "true" }, el("span", { class: "fill" }));
    return el("li", {}, words, does, meter, el("span", { class: "num stage-count", text: "0" }));
}

function update(node, [, waiting]) {
    const number = node.lastChild;
    setText(number, compact(waiting));
    number.title = count(waiting);
    node.classList.toggle("idle", !waiting);
    const width = `${Math.min(100, (Math.log10(1 + waiting) / Math.log10(1 + FULL)) * 100)}%`;
    const fill = node.querySelector(".fill");
    if (fill.style.width !== width) fill.style.width = width;
}
