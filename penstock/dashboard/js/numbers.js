// The bar, and the numbers that matter.

import { makeBar } from "./bar.js";
import { el, setText } from "./dom.js";
import { count, duration, rate, size } from "./text.js";

const TILES = [
    ["fetched", "fetched", count],
    ["failed", "failed", count],
    ["excluded", "excluded", count],
    ["queued", "queued", count],
    ["in_flight", "in flight", count],
    ["retried", "retried", count],
    ["items", "items", count],
    ["bytes", "downloaded", size],
];

/** The panel; `update(state, perSecond)` draws it. */
export function makeNumbers() {
    const bar = makeBar();
    const speed = el("p", { class: "speed num" }, el("strong", { text: "–" }), el("span", { text: " pages/s" }));
    const left = el("p", { class: "note num" });
    const tiles = new Map(TILES.map(([name]) => [name, el("dd", { class: "num", text: "–" })]));
    const list = el(
        "dl",
        { class: "tiles" },
        ...TILES.map(([name, words]) =>
            el("div", { class: `tile t-${name.replace("_", "-")}` }, el("dt", { text: words }), tiles.get(name)),
        ),
    );
    const node = el(
        "section",
        { class: "panel numbers", "aria-label": "Progress" },
        el("div", { class: "bar-and-speed" }, bar.node, el("div", { class: "speed-box" }, speed, left)),
        list,
    );
    const update = (state, perSecond, crawl) => {
        bar.update(state, { most: crawl.options.max_pages, isOver: ["finished", "cancelled"].includes(state.state) });
        // What a cancelled crawl had queued is in no queue any more.
        const now = state.state === "cancelled" ? { ...state, queued: 0 } : state;
        for (const [name, , spell] of TILES) setText(tiles.get(name), spell(now[name] ?? 0));
        const [words, unit, note] = pace(state, perSecond, crawl);
        setText(speed.firstChild, words);
        setText(speed.lastChild, ` ${unit}`);
        setText(left, note);
    };
    return { node, update };
}

function pace(state, perSecond, crawl) {
    if (state.state === "running") return [rate(state.pages_per_second), "pages/s", remaining(state, perSecond)];
    if (state.state === "paused") return ["0", "pages/s", "paused: nothing new is asked for"];
    const seconds = (Date.parse(crawl.finished_at ?? "") - Date.parse(crawl.started_at ?? "")) / 1000;
    if (!(seconds > 0)) return ["–", "pages/s", ""];
    return [rate((state.fetched ?? 0) / seconds), "pages/s", "over the whole crawl"];
}

/** How long what is known would take at this rate; more may be found. */
function remaining(state, perSecond) {
    const left = (state.queued ?? 0) + (state.in_flight ?? 0);
    if (!left || !perSecond || left / perSecond > 3e7) return "";
    return `about ${duration(left / perSecond)
        .split(" ")
        .slice(0, 2)
        .join(" ")} for what is known`;
}
