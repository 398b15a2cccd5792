// How far a crawl is, as a bar: what was fetched, what failed, what is under way.

import { el, setAttr, setText } from "./dom.js";
import { far, percentage } from "./far.js";
import { compact, count } from "./text.js";

const PARTS = ["fetched", "failed", "in_flight"];

/** A bar with a sentence below it; `update(counts, {most, isOver})` draws it anew (see far.js). */
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
    const bits = { track, parts, words, percent };
    return { node, update: (counts, end) => draw(far(counts, { ...end, spell: isSmall ? compact : count }), bits) };
}

function draw(now, { track, parts, words, percent }) {
    const { done, all } = now;
    now.parts.forEach((number, at) => {
        const width = `${all ? (number / all) * 100 : 0}%`;
        if (parts[at].style.width !== width) parts[at].style.width = width;
    });
    setText(words, now.words);
    setText(percent, all ? percentage(done, all) : "");
    setAttr(track, "aria-valuemax", Math.max(1, all));
    setAttr(track, "aria-valuenow", done);
    setAttr(track, "aria-valuetext", now.words);
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
