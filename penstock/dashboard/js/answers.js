// What hosts answered: status codes, and the reasons of what failed or was left out. A press on one shows its pages.

import { button, el, keyed, panel, setText } from "./dom.js";
import { none } from "./states.js";
import { count, plural, reason, visible } from "./text.js";

/** A stranger's server can answer any number of codes: these are shown at first, and those when asked for. */
const FEW = 7;
const MOST = 60;
/** What was left out on purpose is no failure. */
const ON_PURPOSE =
    "robots scope deny allow depth url_too_long trap too_many_redirects host_pages max_pages crawl_delay blocked_address cancelled";
const EXCLUDED = new Set(ON_PURPOSE.split(" "));
/** Whether a reason tells that a URL was left out. */
export const isOnPurpose = (word) => EXCLUDED.has(word);
const MEANS = {
    200: "OK",
    204: "no content",
    206: "partial",
    301: "moved",
    302: "found",
    303: "see other",
    304: "not modified",
    307: "redirect",
    308: "moved",
    400: "bad request",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "not allowed",
    410: "gone",
    418: "teapot",
    429: "too many requests",
    500: "server error",
    502: "bad gateway",
    503: "unavailable",
    504: "timeout",
};

/** Both panels; `show(filter)` is called with the filter of the one that was pressed. */
export function makeAnswers(show) {
    const codes = makeBars("Status codes", "No answer yet.", {
        words: (code) => [code, MEANS[code] ?? ""],
        kind: (code) => `c${String(code)[0]}`,
        press: (code) => show({ status: code }),
    });
    const reasons = makeBars("Failed and excluded", "Nothing failed, nothing was left out.", {
        words: (word) => [reason(word), ""],
        kind: (word) => (isOnPurpose(word) ? "c0" : "c5"),
        press: (word) => show({ reason: word }),
    });
    const update = ({ statuses = {}, reasons: why = {} }) => {
        codes.update(Object.entries(statuses).sort(([a], [b]) => a - b));
        reasons.update(Object.entries(why).sort((a, b) => b[1] - a[1]));
    };
    return { nodes: [codes.node, reasons.node], update };
}

function makeBars(title, empty, { words, kind, press }) {
    const list = el("ul", { class: "bars" });
    const blank = none(empty);
    let [most, last] = [FEW, []];
    const all = button("", () => ((most = most === FEW ? MOST : FEW), update(last)), {
        class: "quiet more-bars",
        hidden: true,
    });
    const node = panel(title, {}, blank, list, all);
    const make = ([name]) => {
        const [first, second] = words(name);
        const label = el(
            "span",
            { class: "bars-name" },
            el("span", { text: visible(first) }),
            second ? el("span", { class: "soft", text: ` ${second}` }) : null,
        );
        const meter = el(
            "span",
            { class: "meter", "aria-hidden": "true" },
            el("span", { class: `fill ${kind(name)}` }),
        );
        const go = el(
            "button",
            { type: "button", class: "bar-row", title: "Show these pages", on: { click: () => press(name) } },
            label,
            meter,
            el("span", { class: "num" }),
        );
        return el("li", {}, go);
    };
    function update(entries) {
        last = entries;
        blank.hidden = entries.length > 0;
        const top = Math.max(1, ...entries.map(([, number]) => number));
        keyed(list, chosen(entries, most), {
            key: ([name]) => name,
            make,
            update: (row, [, number]) => fill(row.firstChild, number, top),
        });
        const over = Math.min(entries.length, MOST) - FEW;
        all.hidden = over <= 0;
        if (over > 0) setText(all, most === FEW ? `and ${plural(over, "more kind")}` : "Fewer");
    }
    return { node, update };
}

/** The most frequent ones, in the order in which they came. */
function chosen(entries, most) {
    const least = [...entries].sort((a, b) => b[1] - a[1]).slice(0, most);
    return entries.filter((entry) => least.includes(entry));
}

function fill(row, number, top) {
    setText(row.lastChild, count(number));
    const width = `${Math.max(1, (number / top) * 100)}%`;
    const bar = row.querySelector(".fill");
    if (bar.style.width !== width) bar.style.width = width;
}
