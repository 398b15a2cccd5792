// A table of pages or failures, latest first: live as the stream tells of them, or those of a filter, as recorded.
// While somebody points at the table or is in it with the keyboard, rows stay where they are and new ones wait.

import * as api from "./api.js";
import { asking } from "./connection.js";
import { button, el, keyed, outward, setText, stranger, table } from "./dom.js";
import { explainHash } from "./explain.js";
import { makeDownloads, makeFilters } from "./filters.js";
import { none } from "./states.js";
import { clock, count, fully, milliseconds, moment, plural, reason, shortened } from "./text.js";

/** Rows of the live table; older ones leave. */
const MOST_LIVE = 50;
/** Rows of a filter, however often more are asked for. */
const MOST_FILTERED = 500;
const STEP = 50;

/** The part of the tabs; `spec` says where its rows come from and which of the stream's pages belong to it. */
export function makePages(page, spec) {
    const view = {
        page,
        spec,
        rows: [],
        fresh: [],
        by: null,
        cursor: null,
        isShown: false,
        isHeld: false,
        isDirty: false,
        leftOut: 0,
        made: 0,
    };
    const grid = table(
        spec.caption,
        [["Time"], ["Answer"], ["URL", "wide"], [spec.last ?? "Title", "wide"], ["Took", "n"]],
        { class: "pages" },
    );
    view.body = grid.body;
    view.blank = none(spec.empty ?? "No page yet.");
    view.note = el("p", { class: "note num" });
    view.filters = makeFilters(spec.path, spec.filters, (by) => choose(view, by));
    view.chip = button("", () => filter(view, null), { class: "chip", hidden: true, title: "Show all again" });
    view.more = button("More", () => more(view), { class: "more", hidden: true, "data-needs-server": true });
    view.grid = grid.node;
    holdWhileReading(view);
    const node = el(
        "div",
        {},
        el("div", { class: "list-tools" }, view.filters.node, makeDownloads(page.path, spec.path)),
        el("div", { class: "above-table" }, view.chip, view.note),
        view.blank,
        grid.node,
        view.more,
    );
    reload(view);
    return {
        node,
        take: (said) => take(view, said),
        update: (state) => (offer(view, state), view.isDirty && draw(view)),
        filter: (by) => filter(view, by),
        reload: () => view.by || reload(view),
        shown: (isShown) => ((view.isShown = isShown), draw(view)),
        stop: view.filters.stop,
    };
}

function offer({ filters }, { reasons = {}, hosts = [] }) {
    filters.offer("reason", Object.keys(reasons).sort());
    filters.offer("host", hosts.map(({ host }) => host).sort());
}

function holdWhileReading(view) {
    const hold = (isHeld) => {
        view.isHeld = isHeld;
        if (!isHeld) draw(view);
        else sayNote(view);
    };
    view.grid.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && hold(true));
    view.grid.addEventListener("pointerleave", () => view.grid.contains(document.activeElement) || hold(false));
    view.grid.addEventListener("focusin", () => hold(true));
    view.grid.addEventListener("focusout", (event) => view.grid.contains(event.relatedTarget) || hold(false));
}

/** Pages of the stream come oldest first; what a reconnection brings again is known by its position. */
function take(view, { pages, left_out: leftOut = 0 }) {
    if (view.by) return;
    const wanted = pages.filter(view.spec.wants).map((row) => ({ ...row, key: `p${row.position}` }));
    const known = new Set([...view.fresh, ...view.rows].map((row) => row.key));
    const newest = wanted.filter((row) => !known.has(row.key)).reverse();
    if (!newest.length && !leftOut) return;
    view.fresh = [...newest, ...view.fresh].slice(0, MOST_LIVE);
    view.leftOut = newest.length >= MOST_LIVE ? 0 : leftOut;
    view.isDirty = true;
}

async function reload(view) {
    const rows = await read(view, {});
    if (!rows || view.by) return;
    Object.assign(view, { rows: merged(view.rows, rows).slice(0, MOST_LIVE), cursor: null });
    draw(view);
}

/** Rows of the stream stay; recorded ones join them if they tell of other URLs. */
function merged(live, recorded) {
    const known = new Set([...live].map((row) => row.url));
    return [...live, ...recorded.filter((row) => !known.has(row.url))].sort((a, b) => moment(at(b)) - moment(at(a)));
}

async function read(view, query) {
    try {
        const said = await asking(api.get(`${view.page.path}/${view.spec.path}`, { limit: STEP, ...query }));
        view.next = said.next;
        return view.spec.list(said).map((row) => ({ ...row, key: `r${(view.made += 1)}` }));
    } catch (error) {
        setText(view.note, shortened(error.message));
        return null;
    }
}

/** What was pressed elsewhere is asked for alone; the form shows it. */
async function filter(view, by) {
    view.filters.set(by);
    const shown = ask(view, by);
    if (by) view.chip.focus({ preventScroll: true });
    await shown;
}

/** What the form says is asked for, with what was pressed elsewhere and the form has no field for. */
function choose(view, said) {
    const named = new Set(view.spec.filters.map(({ name }) => name));
    const other = Object.entries(view.by ?? {}).filter(([name]) => !named.has(name));
    const by = { ...Object.fromEntries(other), ...said };
    if (JSON.stringify(by) === JSON.stringify(view.by ?? {})) return;
    ask(view, Object.keys(by).length ? by : null);
}

async function ask(view, by) {
    Object.assign(view, { by, rows: [], fresh: [], cursor: null, isHeld: false });
    view.chip.hidden = !by;
    setText(view.blank, by ? "None fits." : (view.spec.empty ?? "No page yet."));
    if (!by) return reload(view);
    const spell = ([name, value]) => `${name}: ${shortened(name === "reason" ? reason(value) : value, 60)}`;
    setText(view.chip, `${Object.entries(by).map(spell).join(", ")} ×`);
    await more(view);
}

async function more(view) {
    const by = view.by;
    const rows = await read(view, { ...by, cursor: view.cursor });
    if (!rows || view.by !== by) return;
    Object.assign(view, { rows: [...view.rows, ...rows].slice(0, MOST_FILTERED), cursor: view.next });
    draw(view);
}

function draw(view) {
    if (!view.isShown) return;
    // What somebody asked for is drawn at once; only what comes by itself waits.
    if (view.isHeld && !view.by) return sayNote(view);
    const gone = new Set(view.fresh.map((row) => row.url));
    if (view.fresh.length)
        view.rows = [...view.fresh, ...view.rows.filter((row) => !gone.has(row.url))].slice(0, MOST_LIVE);
    Object.assign(view, { fresh: [], isDirty: false });
    view.blank.hidden = view.rows.length > 0;
    view.grid.hidden = !view.rows.length;
    view.more.hidden = !view.by || !view.cursor || view.rows.length >= MOST_FILTERED;
    keyed(view.body, view.rows, { key: (row) => row.key, make: (row) => makeRow(view, row) });
    sayNote(view);
}

function sayNote(view) {
    const held =
        view.isHeld && view.fresh.length
            ? `held while you read: ${plural(view.fresh.length, "newer row")} waiting`
            : "";
    const left = view.leftOut ? `${count(view.leftOut)} were left out while you were away` : "";
    const filtered = view.by ? `${plural(view.rows.length, "row")}${view.cursor ? " so far" : ""}, as recorded` : "";
    setText(view.note, held || left || filtered);
}

const at = (row) => row.at ?? row.settled_at;

function makeRow(view, row) {
    const [time, says] = [moment(at(row)), view.spec.says(row)];
    const explain = el(
        "a",
        { href: explainHash(view.page.id, row.url), class: "url", title: `Explain ${shortened(row.url, 600)}` },
        stranger(row.url),
    );
    return el(
        "tr",
        {},
        el("td", { class: "num soft", title: fully(time), text: clock(time) }),
        el("td", {}, answer(row)),
        el("td", { class: "wide" }, el("div", { class: "url-cell" }, explain, outward(row.url))),
        el("td", { class: "wide" }, says ? stranger(says) : null),
        el("td", { class: "n num", text: milliseconds(row.elapsed_ms) }),
    );
}

/** The status, coloured by its class and never by colour alone; the reason where there is one. */
function answer({ status, outcome, reason: why }) {
    const kind = status ? `c${String(status)[0]}` : outcome === "failed" ? "c5" : "c0";
    const words = status ? String(status) : outcome;
    const more = why && why !== `http_${status}` ? reason(why) : "";
    return el(
        "span",
        { class: "answer" },
        el("span", { class: `code ${kind}`, text: words }),
        more ? el("span", { class: "why soft small", text: more, title: more }) : null,
    );
}
