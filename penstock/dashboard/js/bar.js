// How far a crawl is: its known URLs by what became of them.

import { el, setAttr, setText } from "./dom.js";
import { compact, count, settled } from "./text.js";

const PARTS = ["fetched", "failed", "excluded", "in_flight"];

/** A bar with a sentence below it; `update(counts)` draws it anew. */
export function makeBar({ isSmall = false } = {}) {
    const parts = PARTS.map((name) => el("span", { class: `part ${name.replace("_", "-")}` }));
    const track = el(
        "div",
        { class: "track", role: "progressbar", "aria-valuemin": "0", "aria-label": "Progress" },
        ...parts,
    );
    const words = el("span", { class: "bar-words num" });
    const percent = el("span", { class: "bar-percent num" });
    const node = el(
        "div",
        { class: `bar${isSmall ? " small" : ""}` },
        track,
        el("p", { class: "bar-line" }, words, percent),
    );
    return { node, update: (counts) => draw(counts, { track, parts, words, percent, isSmall }) };
}

function draw(counts, { track, parts, words, percent, isSmall }) {
    const [done, all] = [settled(counts), Math.max(counts.discovered ?? 0, settled(counts))];
    const spell = isSmall ? compact : count;
    PARTS.forEach((name, at) => {
        const width = `${all ? ((counts[name] ?? 0) / all) * 100 : 0}%`;
        if (parts[at].style.width !== width) parts[at].style.width = width;
    });
    const sentence = all ? `${spell(done)} of ${spell(all)} known URLs` : "No URL known yet";
    setText(words, sentence);
    setText(percent, all ? percentage(done, all) : "");
    setAttr(track, "aria-valuemax", Math.max(1, all));
    setAttr(track, "aria-valuenow", done);
    setAttr(track, "aria-valuetext", sentence);
}

/** 42%, and 100% only when nothing is left. */
export function percentage(done, all) {
    return done >= all ? "100%" : `${Math.min(99, Math.floor((done / all) * 100))}%`;
}

/** A crawl's state, as a word in a frame. */
export function makeBadge() {
    const node = el("span", { class: "badge" });
    return {
        node,
        update: (state) => {
            setText(node, state);
            setAttr(node, "data-state", state);
        },
    };
}
