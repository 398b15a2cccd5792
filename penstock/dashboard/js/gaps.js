// A small picture of the gaps between the starts of requests to a host, against the least that was promised.

import { el, setAttr, setText, svg } from "./dom.js";
import { milliseconds } from "./text.js";

const [WIDTH, HEIGHT, MOST] = [120, 24, 20];
const STEP = WIDTH / MOST;
/** A gap may seem a little shorter than it was when a start is noted late: less than this part of it is a breach. */
const BREACH = 0.9;

/** A cell's content; `update(host, leastMs)` draws it. */
export function makeGaps() {
    const bars = Array.from({ length: MOST }, (_, at) =>
        svg("rect", { x: at * STEP, width: STEP - 1.5, y: HEIGHT, height: 0, rx: 1 }),
    );
    const line = svg("line", { x1: 0, x2: WIDTH, class: "least" });
    const picture = svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, class: "gaps", "aria-hidden": "true" },
        ...bars,
        line,
    );
    const words = el("span", { class: "num soft small" });
    const node = el("div", { class: "gaps-cell" }, picture, words);
    return { node, update: (host, leastMs) => draw({ bars, line, picture, words, node }, host, leastMs) };
}

function draw({ bars, line, picture, words, node }, { gaps_ms: gaps, smallest_gap_ms: smallest }, leastMs) {
    const shown = (gaps ?? []).slice(-MOST);
    picture.toggleAttribute("hidden", !shown.length);
    const top = Math.max(leastMs * 2, Math.min(Math.max(1, ...shown), (leastMs || 1000) * 4));
    bars.forEach((bar, at) => {
        const gap = shown[at - (MOST - shown.length)];
        const height = gap === undefined ? 0 : Math.max(1.5, (Math.min(gap, top) / top) * HEIGHT);
        setAttr(bar, "height", height.toFixed(1));
        setAttr(bar, "y", (HEIGHT - height).toFixed(1));
        setAttr(bar, "class", gap !== undefined && gap < leastMs * BREACH ? "breach" : "kept");
    });
    const y = leastMs ? (HEIGHT - (leastMs / top) * HEIGHT).toFixed(1) : -9;
    setAttr(line, "y1", y);
    setAttr(line, "y2", y);
    setText(words, smallest === null || smallest === undefined ? "–" : `at least ${milliseconds(smallest)}`);
    node.title = leastMs ? `The least that was promised: ${milliseconds(leastMs)}` : "No delay was promised";
}
