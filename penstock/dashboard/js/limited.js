// Hosts of which nothing is asked for now: a line for each that is named, and how many more there are.

import * as api from "./api.js";
import { el, setText } from "./dom.js";
import { clock, count, duration, plural, reason, shortened } from "./text.js";

const WORDS = { robots: "waits for robots.txt", rate_limit: "is rate limited" };

/** A list that is hidden while there is no such host; `update(state)` draws it anew. */
export function makeLimited() {
    const list = el("ul", { class: "limited", "aria-label": "Hosts of which nothing is asked for now", hidden: true });
    return { node: list, update: (state) => update(list, state) };
}

function update(list, { limited = [], limited_hosts: number = 0 }) {
    const lines = limited.map(sentence);
    if (number > limited.length && limited.length) lines.push(`${plural(number - limited.length, "more host")} so`);
    list.hidden = !lines.length;
    while (list.children.length > lines.length) list.lastChild.remove();
    while (list.children.length < lines.length) list.append(el("li", { class: "num" }));
    lines.forEach((line, at) => setText(list.children[at], line));
}

function sentence({ host, until_ms: until, reason: what, why, queued }) {
    const left = Math.ceil((until - api.now()) / 1000);
    const again = left > 0 ? `until ${clock(until)}, in ${duration(left)}` : "asked again now";
    const waiting = queued ? `; ${count(queued)} of its URLs ${queued === 1 ? "is" : "are"} queued` : "";
    return `${shortened(host, 100)} ${WORDS[what] ?? `waits for ${reason(what)}`} (${reason(why)}) ${again}${waiting}`;
}
