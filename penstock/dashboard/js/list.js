// The list of crawls: those under way with live bars, and the earlier ones, newest first.

import * as api from "./api.js";
import { asking, listen } from "./connection.js";
import { makeBadge, makeBar } from "./bar.js";
import { button, el, keyed, setText, stranger } from "./dom.js";
import { announce } from "./announce.js";
import { ago, compact, count, fully, moment, plural, rate, size } from "./text.js";
import { failure, nothing, waiting } from "./states.js";
import { Stream } from "./stream.js";

const PAGE = 20;
/** However long the page is open, and however many are loaded, no more crawls than this are shown. */
const MOST = 300;
const RATE_WINDOW_MS = 8_000;
const UNDER_WAY = ["running", "paused"];

/** Show the list in `root` until `stop()`. */
export function open(root) {
    const view = makeView(root);
    const load = () => loadMore(view, null);
    const stream = new Stream(api.address("progress"), { crawls: ({ crawls }) => told(view, crawls) });
    const unlisten = listen((state, before) => state === "live" && before === "lost" && load());
    const timer = setInterval(() => document.hidden || draw(view), 10_000);
    load();
    return {
        title: "Crawls",
        stop: () => {
            stream.stop();
            unlisten();
            clearInterval(timer);
        },
    };
}

function makeView(root) {
    const view = { crawls: new Map(), samples: new Map(), cursor: null, isLoaded: false, nodes: new Map() };
    view.root = root;
    view.live = el("ul", { class: "crawls" });
    view.earlier = el("ul", { class: "crawls" });
    view.more = button("Older crawls", () => loadMore(view, view.cursor), {
        class: "more",
        hidden: true,
        "data-needs-server": true,
    });
    view.liveSection = section("Under way", view.live);
    view.earlierSection = section("Earlier", view.earlier, view.more);
    view.summary = el("p", { class: "note" });
    view.body = el("div", { class: "stack" }, waiting("Looking for crawls"));
    const start = el("a", { class: "button primary", href: "#/start", text: "Start a crawl" });
    root.replaceChildren(
        el("div", { class: "page-head" }, el("div", {}, el("h1", { text: "Crawls" }), view.summary), start),
        view.body,
    );
    return view;
}

function section(title, ...children) {
    const id = `s-${title.toLowerCase().replace(" ", "-")}`;
    return el("section", { "aria-labelledby": id }, el("h2", { id, class: "small-head", text: title }), ...children);
}

async function loadMore(view, cursor) {
    try {
        const { crawls, next } = await asking(api.get("crawls", { limit: PAGE, cursor }));
        if (cursor !== null || view.cursor === null) view.cursor = next;
        take(view, crawls);
    } catch (error) {
        if (!view.isLoaded) view.body.replaceChildren(failure("The list of crawls cannot be shown", error));
    }
}

/** The stream tells of unfinished crawls and of the latest: an old one that is not among them any more has ended. */
function told(view, crawls) {
    const ids = new Set(crawls.map(({ id }) => id));
    const ended = [...view.crawls.values()].filter(({ id, state }) => UNDER_WAY.includes(state) && !ids.has(id));
    take(view, crawls);
    for (const { id } of ended) {
        asking(api.get(`crawls/${encodeURIComponent(id)}`)).then(
            (crawl) => take(view, [crawl]),
            () => {},
        );
    }
}

function take(view, crawls) {
    const now = Date.now();
    for (const crawl of crawls) {
        const before = view.crawls.get(crawl.id);
        if (before && before.state !== crawl.state) announce(`${before.name} is ${crawl.state}.`);
        view.crawls.set(crawl.id, crawl);
        sample(view, crawl, now);
    }
    view.isLoaded = true;
    draw(view);
}

function sample(view, crawl, now) {
    if (crawl.state !== "running") return view.samples.delete(crawl.id);
    const points = view.samples.get(crawl.id) ?? [];
    points.push([now, crawl.counts.fetched]);
    while (now - points[0][0] > RATE_WINDOW_MS) points.shift();
    view.samples.set(crawl.id, points);
}

function speed(view, id) {
    const points = view.samples.get(id) ?? [];
    if (points.length < 2) return null;
    const [[from, before], [until, after]] = [points[0], points.at(-1)];
    // Nothing is sent while nothing changes: then the rate is over the time until now.
    return until > from ? ((after - before) * 1000) / (Math.max(until, Date.now() - 2000) - from) : null;
}

function draw(view) {
    const sorted = [...view.crawls.values()].sort((a, b) => (b.started_at ?? b.id).localeCompare(a.started_at ?? a.id));
    for (const { id } of sorted.splice(MOST))
        for (const kept of [view.crawls, view.samples, view.nodes]) kept.delete(id);
    if (!sorted.length) return view.body.replaceChildren(empty());
    const live = sorted.filter((crawl) => UNDER_WAY.includes(crawl.state));
    const earlier = sorted.filter((crawl) => !UNDER_WAY.includes(crawl.state));
    setText(view.summary, live.length ? `${plural(live.length, "crawl")} under way` : "Nothing is under way");
    for (const [list, crawls] of [
        [view.live, live],
        [view.earlier, earlier],
    ]) {
        keyed(list, crawls, {
            key: (crawl) => crawl.id,
            make: (crawl) => makeRow(view, crawl),
            update: (_, crawl) => view.nodes.get(crawl.id)(crawl),
        });
    }
    view.more.hidden = view.cursor === null || sorted.length >= MOST;
    const wanted = [
        live.length ? view.liveSection : null,
        earlier.length || !view.more.hidden ? view.earlierSection : null,
    ].filter(Boolean);
    if (wanted.length !== view.body.children.length || wanted.some((node) => node.parentNode !== view.body))
        view.body.replaceChildren(...wanted);
}

function makeRow(view, crawl) {
    const [badge, bar] = [makeBadge(), makeBar({ isSmall: true })];
    const link = el(
        "a",
        { href: `#/crawls/${encodeURIComponent(crawl.id)}`, class: "crawl-name" },
        stranger(crawl.name),
    );
    const facts = el("p", { class: "facts num" });
    const times = el("p", { class: "times num" });
    const head = el("h3", { class: "crawl-head" }, link, badge.node);
    view.nodes.set(crawl.id, (now) => {
        badge.update(now.state);
        bar.update(now.counts, { most: now.options.max_pages, isOver: !UNDER_WAY.includes(now.state) });
        setText(facts, factsOf(now, speed(view, now.id)));
        setText(times, timesOf(now));
        times.title = fully(moment(now.started_at));
    });
    return el("li", { class: "crawl-row" }, head, times, bar.node, facts);
}

function factsOf({ counts, state }, perSecond) {
    const parts = state === "running" && perSecond !== null ? [`${rate(perSecond)} pages/s`] : [];
    parts.push(plural(counts.items ?? 0, "item"), size(counts.bytes));
    if (counts.failed) parts.push(`${count(counts.failed)} failed`);
    if (UNDER_WAY.includes(state)) parts.push(`${compact(counts.queued ?? 0)} queued`);
    return parts.join(" · ");
}

function timesOf(crawl) {
    const [from, until, now] = [moment(crawl.started_at), moment(crawl.finished_at), api.now()];
    if (from === null) return "";
    return until ? `ended ${ago(until, now)}` : `started ${ago(from, now)}`;
}

function empty() {
    const start = el("a", { class: "button primary", href: "#/start", text: "Start the first crawl" });
    const words = "Give it a seed, the address of a page, and watch what it finds. The same can be done in a terminal:";
    return nothing(
        "No crawl yet",
        words,
        el("pre", { class: "command", text: "penstock crawl https://books.toscrape.com/" }),
        start,
    );
}
