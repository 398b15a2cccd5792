// The life of one URL: who found it, what robots.txt said, how long it waited and why, each attempt, what came of it.

import * as api from "./api.js";
import { asking } from "./connection.js";
import { show } from "./dialogs.js";
import { el, outward, stranger } from "./dom.js";
import { failure, waiting } from "./states.js";
import { clock, fully, moment, visible } from "./text.js";

const KINDS = { failed: "bad", excluded: "warn", fetched: "good", parsed: "good" };

/** The address of the panel that tells a URL's life. */
export const explainHash = (id, url) => `#/crawls/${encodeURIComponent(id)}?explain=${encodeURIComponent(url)}`;

/** Follows the query behind the hash: `explain=URL` opens the panel, its absence closes it. */
export function makeExplain(id) {
    const view = { id, dialog: null, url: null };
    return {
        node: el("div", { hidden: true }),
        follow: (query) => follow(view, query.get("explain")),
        stop: () => view.dialog?.close(),
    };
}

function follow(view, url) {
    if (url === view.url) return;
    view.url = null;
    view.dialog?.close();
    view.url = url;
    if (url === null) return;
    const body = el("div", { class: "explained" }, waiting("Looking it up"));
    const head = el("p", { class: "item-from" }, stranger(url), outward(url));
    view.dialog = show("The life of a URL", { kind: "large", closed: () => closed(view, url) }, head, body);
    tell(view, url, body);
}

function closed(view, url) {
    view.dialog = null;
    if (view.url !== url) return;
    view.url = null;
    // The address goes back to the crawl's own, unless it is elsewhere by now.
    const path = `#/crawls/${encodeURIComponent(view.id)}`;
    if (location.hash.startsWith(`${path}?`)) history.replaceState(null, "", path);
}

async function tell(view, url, body) {
    try {
        const { steps } = await asking(api.get("explain", { url, crawl: view.id }));
        body.replaceChildren(el("ol", { class: "steps" }, ...steps.map(step)));
    } catch (error) {
        body.replaceChildren(failure(error.status === 404 ? "Nothing is known of it" : "It cannot be told", error));
    }
}

function step({ at, what, words }) {
    const time = moment(at);
    const lines = (Array.isArray(words) ? words : String(words ?? what).split("\n")).map((line) =>
        el("p", {}, el("bdi", { text: visible(line).slice(0, 2000) })),
    );
    return el(
        "li",
        { class: KINDS[what] ?? null },
        el("time", { class: "num soft", datetime: at ?? null, title: fully(time), text: clock(time) }),
        el("div", {}, ...lines),
    );
}
