// A preview of what the spider made of the pages: the latest items as a table of their fields.

import * as api from "./api.js";
import { asking } from "./connection.js";
import { show } from "./dialogs.js";
import { button, el, outward, setText, stranger } from "./dom.js";
import { explainHash } from "./explain.js";
import { makeDownloads, makeFilters } from "./filters.js";
import { none } from "./states.js";
import { count, plural, shortened, visible } from "./text.js";

const MOST = 20;
/** Fields that fit beside one another; all of them are in the item's own panel. */
const MOST_COLUMNS = 5;
/** The preview is read again this often while it is looked at and the crawl runs. */
const AGAIN_MS = 5_000;
const LONGEST_VALUE = 4_000;

/** The part of the tabs. */
export function makeItems(page) {
    const view = { page, isShown: false, isOver: false, by: {}, types: new Set(), total: 0, drawn: "" };
    view.note = el("p", { class: "note num" });
    view.body = el("div");
    view.filters = makeFilters("items", [{ name: "type", label: "Type", hint: "any" }], (by) => choose(view, by));
    const tools = el("div", { class: "list-tools" }, view.filters.node, makeDownloads(page.path, "items"));
    const node = el("div", {}, tools, el("div", { class: "above-table" }, view.note), view.body);
    const timer = setInterval(() => view.isOver || document.hidden || isRead(view) || read(view), AGAIN_MS);
    return {
        node,
        take: () => {},
        update: (state, isDone) => update(view, state, isDone),
        reload: () => read(view),
        shown: (isShown) => ((view.isShown = isShown), isShown && read(view)),
        stop: () => (clearInterval(timer), view.filters.stop()),
    };
}

/** Somebody who points at a row keeps it. */
const isRead = (view) => view.body.matches(":hover") || view.body.contains(document.activeElement);

function update(view, { state, items = 0 }, isDone) {
    const isOver = isDone && ["finished", "cancelled"].includes(state);
    view.total = items;
    if (isOver && !view.isOver) read(view);
    view.isOver = isOver;
}

function choose(view, by) {
    view.by = by;
    read(view);
}

async function read(view) {
    if (!view.isShown) return;
    const by = view.by;
    try {
        const { items } = await asking(api.get(`${view.page.path}/items`, { limit: MOST, ...by }));
        if (view.by === by) draw(view, items);
    } catch (error) {
        setText(view.note, shortened(error.message));
    }
}

function draw(view, items) {
    for (const { type } of items) view.types.add(type);
    view.filters.offer("type", [...view.types].sort());
    const of = view.by.type ? "" : ` of ${plural(Math.max(view.total, items.length), "item")}`;
    setText(view.note, items.length ? `the latest ${items.length}${of}` : "");
    const words = JSON.stringify(items);
    if (words === view.drawn) return;
    view.drawn = words;
    if (!items.length) return view.body.replaceChildren(none(view.by.type ? "None fits." : "No item yet."));
    const fields = columns(items);
    const head = el(
        "tr",
        {},
        ...["Item", "Fields", "Page"].map(th),
        ...fields.map((name) => th(shortened(name, 40))),
    );
    const rows = items.map((item) => makeRow(view, item, fields));
    const grid = el(
        "table",
        { class: "items" },
        el("caption", { class: "unseen", text: "Latest items" }),
        el("thead", {}, head),
        el("tbody", {}, ...rows),
    );
    view.body.replaceChildren(
        el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Latest items" }, grid),
    );
}

const th = (text) => el("th", { scope: "col", text });

/** The fields that most items have something in, in the order of the items. */
function columns(items) {
    const filled = new Map();
    for (const { data, url } of items) {
        for (const [name, value] of Object.entries(data))
            if (isTelling(value, url)) filled.set(name, (filled.get(name) ?? 0) + 1);
    }
    return [...filled]
        .filter(([, times]) => times * 4 >= items.length)
        .slice(0, MOST_COLUMNS)
        .map(([name]) => name);
}

const isEmpty = (value) =>
    value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);

/** What is empty, a structure, or the page's own address once more does not earn a column. */
const isTelling = (value, url) =>
    !isEmpty(value) && value !== url && (typeof value !== "object" || Array.isArray(value));

function makeRow(view, item, fields) {
    const link = el("a", { href: explainHash(view.page.id, item.url), class: "url" }, stranger(item.url));
    const open = button(shortened(item.type, 60), () => showItem(item), {
        class: "chip",
        "aria-label": `All fields of this ${shortened(item.type, 60)} of ${shortened(item.url, 100)}`,
        title: "All its fields",
    });
    const cells = fields.map((name) =>
        el("td", { class: "value" }, isEmpty(item.data[name] ?? null) ? null : stranger(spelled(item.data[name]))),
    );
    return el(
        "tr",
        {},
        el("th", { scope: "row" }, open),
        el("td", { class: "n num", text: count(Object.keys(item.data).length) }),
        el("td", { class: "page-of" }, link),
        ...cells,
    );
}

/** A value in one line. */
function spelled(value) {
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value.join(" · ");
    return typeof value === "string" ? value : JSON.stringify(value);
}

function showItem(item) {
    const [full, empty] = [[], []];
    for (const [name, value] of Object.entries(item.data)) (isEmpty(value) ? empty : full).push([name, value]);
    const facts = full.map(([name, value]) =>
        el("tr", {}, el("th", { scope: "row" }, stranger(name)), el("td", {}, whole(value))),
    );
    const rest = empty.length ? `nothing in ${empty.map(([name]) => shortened(name, 40)).join(", ")}` : "";
    const from = el("p", { class: "item-from" }, stranger(item.url), outward(item.url));
    const by = el("p", { class: "note", text: `by ${shortened(`${item.spider} ${item.spider_version}`.trim(), 120)}` });
    show(
        `Item: ${shortened(item.type, 60)}`,
        { kind: "large" },
        from,
        by,
        el(
            "table",
            { class: "item-fields" },
            el("caption", { class: "unseen", text: "Fields" }),
            el("thead", {}, el("tr", {}, th("Field"), th("Value"))),
            el("tbody", {}, ...facts),
        ),
        el("p", { class: "note", text: rest }),
    );
}

/** A value over many lines: line breaks and tabs of its own stay, all other marks are spelled out. */
function whole(value) {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    const lines = text.slice(0, LONGEST_VALUE).split("\n").map(visible).join("\n");
    const rest = text.length > LONGEST_VALUE ? `\n… ${plural(text.length - LONGEST_VALUE, "more character")}` : "";
    return el("bdi", { class: "value-text", text: lines + rest });
}
