// Hosts: how fast they are asked and answer, when each may be asked next, and the gaps that were kept.

import * as api from "./api.js";
import { asking } from "./connection.js";
import { button, el, keyed, panel, setAttr, setText, stranger, table } from "./dom.js";
import { makeGaps } from "./gaps.js";
import { none } from "./states.js";
import { compact, duration, milliseconds, rate, reason, shortened } from "./text.js";

const MOST = 10;
const TICK_MS = 1_000;
const COLUMNS = [
    ["Host"],
    ["Pages/s", "n"],
    ["Requests", "n"],
    ["Errors", "n"],
    ["Latency", "n"],
    ["In flight", "n"],
    ["Next allowed", "n"],
    ["Gaps between requests"],
];
/** What a host as a whole is waited for. */
const WAITS = { robots: "waits for robots.txt", rate_limit: "rate limited" };
const ORDERS = {
    busiest: (a, b) => (b.per_second ?? 0) - (a.per_second ?? 0) || b.requests - a.requests,
    slowest: (a, b) => (b.latency_ms ?? 0) - (a.latency_ms ?? 0),
};

/** The panel; `take(hosts)` is for the stream's, `show(filter)` shows a host's pages. */
export function makeHosts(page, show) {
    const view = { page, show, order: "busiest", hosts: [], rows: new Map(), delayMs: 0, isOver: false };
    const grid = table("Hosts", COLUMNS, { class: "hosts" });
    const pick = Object.keys(ORDERS).map((name) =>
        button(name === "busiest" ? "Busiest" : "Slowest", () => choose(view, name), {
            "aria-pressed": String(name === "busiest"),
            "data-order": name,
        }),
    );
    Object.assign(view, { grid, body: grid.body, blank: none("No host has been asked yet."), pick });
    const side = el("div", { class: "switch", role: "group", "aria-label": "Order of hosts" }, ...pick);
    const node = panel(
        "Hosts",
        { side, note: "the line across the gaps is the least that was promised" },
        view.blank,
        grid.node,
    );
    grid.node.hidden = true;
    const timer = setInterval(() => document.hidden || tick(view), TICK_MS);
    read(view);
    return {
        node,
        take: (hosts) => take(view, hosts),
        update: (crawl, state) => update(view, crawl, state),
        stop: () => clearInterval(timer),
    };
}

function update(view, crawl, state) {
    view.delayMs = (crawl.options?.delay ?? 0) * 1000;
    const isOver = ["finished", "cancelled"].includes(state.state);
    if (isOver && !view.isOver) read(view);
    view.isOver = isOver;
}

function choose(view, order) {
    view.order = order;
    for (const node of view.pick) setAttr(node, "aria-pressed", String(node.dataset.order === order));
    draw(view);
    read(view);
}

async function read(view) {
    try {
        const { hosts } = await asking(api.get(`${view.page.path}/hosts`, { order: view.order, limit: MOST }));
        take(view, [...hosts, ...view.hosts.filter((host) => !hosts.some(({ host: name }) => name === host.host))]);
    } catch {
        // The stream brings them, or the connection shows what is wrong.
    }
}

function take(view, hosts) {
    view.hosts = hosts.slice(0, 4 * MOST);
    draw(view);
}

function draw(view) {
    const shown = [...view.hosts].sort(ORDERS[view.order]).slice(0, MOST);
    view.blank.hidden = shown.length > 0;
    view.grid.node.hidden = !shown.length;
    keyed(view.body, shown, {
        key: (host) => host.host,
        make: (host) => makeRow(view, host),
        update: (_, host) => view.rows.get(host.host)?.(host),
    });
    for (const name of view.rows.keys()) if (!view.hosts.some(({ host }) => host === name)) view.rows.delete(name);
}

function makeRow(view, host) {
    const cells = COLUMNS.slice(1, 7).map(([words]) => el("td", { class: "n num", "data-label": words }));
    const gaps = makeGaps();
    const name = el(
        "button",
        {
            type: "button",
            class: "as-link",
            title: "Show its pages",
            on: { click: () => view.show({ host: host.host }) },
        },
        stranger(host.host),
    );
    const note = el("span", { class: "soft small" });
    const update = (now) => {
        setText(note, ` ${robots(now)}`);
        const values = [
            rate(now.per_second),
            compact(now.requests),
            compact(now.errors),
            milliseconds(now.latency_ms),
            compact(now.in_flight),
        ];
        values.forEach((text, at) => setText(cells[at], text));
        cells[2].classList.toggle("bad", now.errors > 0);
        sayNext(cells[5], now);
        gaps.update(now, Math.max(view.delayMs, now.crawl_delay_ms ?? 0));
    };
    view.rows.set(host.host, update);
    return el("tr", {}, el("th", { scope: "row" }, name, note), ...cells, el("td", {}, gaps.node));
}

function robots({ robots_verdict: verdict, crawl_delay_ms: delay, waits_for: waits, waits_why: why, waits_until: until }) {
    if (waits) {
        const left = until ? `in ${duration(Math.max(0, Math.ceil((until - api.now()) / 1000)))}` : "now";
        return `${WAITS[waits] ?? reason(waits)} (${reason(why)}), asked again ${left}`;
    }
    if (delay) return `robots.txt asks for ${milliseconds(delay)}`;
    return { deny: "robots.txt could not be had", retry: "robots.txt could not be had" }[verdict] ?? "";
}

function sayNext(cell, host) {
    const now = api.now();
    const blocked = host.block_until && host.block_until > now;
    const at = blocked ? host.block_until : host.next_at;
    cell.classList.toggle("warn", Boolean(blocked));
    if (!at || at <= now) return setText(cell, "now");
    const left = Math.ceil((at - now) / 1000);
    setText(cell, `${blocked ? "blocked " : "in "}${duration(left)}`);
    cell.title = blocked ? shortened("The host asked to be left alone until then.") : "";
}

function tick(view) {
    const byName = new Map(view.hosts.map((host) => [host.host, host]));
    for (const row of view.body.children) {
        const host = byName.get(row.dataset.key);
        if (host) sayNext(row.children[6], host);
    }
}
