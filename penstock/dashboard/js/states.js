// What is shown where there is nothing to show: not yet, nothing at all, or something went wrong.

import { el } from "./dom.js";
import { shortened } from "./text.js";

/** Bars that stand for what is to come. */
export function waiting(words) {
    const lines = [1, 2, 3].map(() => el("span", { class: "ghost" }));
    return el(
        "div",
        { class: "ghosts", "aria-busy": "true" },
        el("span", { class: "unseen", text: `${words}…` }),
        ...lines,
    );
}

/** An empty state: what is not there, why, and what can be done. */
export function nothing(title, words, ...actions) {
    return el("div", { class: "blank" }, el("h2", { text: title }), el("p", { text: words }), ...actions);
}

/** A small one, in a panel. */
export const none = (words) => el("p", { class: "none", text: words });

/** What went wrong, in the server's words. */
export function failure(title, error, ...actions) {
    const words = shortened(error.message || "Something in this page broke.");
    return el(
        "div",
        { class: "blank bad", role: "alert" },
        el("h2", { text: title }),
        el("p", { text: words }),
        ...actions,
    );
}
