// One crawl: its head and numbers, charts, queues, answers, hosts, and what it found, all from one stream of snapshots.
// What the stream says is kept, and drawn at most a few times a second; panels write only what changed.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { makeAnswers } from "./answers.js";
import { makeCharts } from "./charts.js";
import { asking, listen, setControls } from "./connection.js";
import { el, setTitle } from "./dom.js";
import { makeExplain } from "./explain.js";
import { far, percentage } from "./far.js";
import { makeFindings } from "./findings.js";
import { makeHead } from "./head.js";
import { makeHosts } from "./hosts.js";
import { makeLimited } from "./limited.js";
import { makeNumbers } from "./numbers.js";
import { makeStages } from "./stages.js";
import { failure, waiting } from "./states.js";
import { Stream } from "./stream.js";
import { count, moment, shortened } from "./text.js";

/** The page is drawn this often at most, however often the stream speaks. */
const DRAW_MS = 250;
/** The recorded timeline is read again this often while a crawl runs. */
const TIMELINE_MS = 15_000;
/** A screen reader hears how far a crawl is this often at most. */
const TELL_MS = 30_000;

/** Show the crawl that the route names in `root`, until `stop()`; `change(route)` follows the query behind the hash. */
export function open(root, route) {
    const page = {
        root,
        id: route.id,
        path: `crawls/${encodeURIComponent(route.id)}`,
        route,
        isClosed: false,
        hasEnded: false,
        crawl: null,
        state: null,
        drawnAt: 0,
        toldAt: Date.now(),
        timers: [],
        stops: [],
    };
    root.replaceChildren(waiting("Looking for the crawl"));
    page.stops.push(listen((state, before) => state === "live" && before === "lost" && back(page)));
    load(page);
    return { title: route.id, change: (next) => follow(page, next), stop: () => stop(page) };
}

async function load(page) {
    try {
        const crawl = await asking(api.get(page.path));
        if (page.isClosed) return;
        page.crawl = crawl;
        build(page);
    } catch (error) {
        if (page.isClosed) return;
        const home = el("a", { class: "button", href: "#/", text: "All crawls" });
        const title = error.status === 404 ? "There is no such crawl" : "The crawl cannot be shown";
        page.root.replaceChildren(failure(title, error, el("p", {}, home)));
    }
}

function build(page) {
    const explain = makeExplain(page.id);
    const panels = {
        head: makeHead(page.crawl, { path: page.path, changed: (crawl) => changed(page, crawl) }),
        numbers: makeNumbers(),
        limited: makeLimited(),
        charts: makeCharts(api.now, moment(page.crawl.started_at)),
        stages: makeStages(),
        answers: makeAnswers((filter) => panels.findings.filter(filter)),
        hosts: makeHosts(page, (filter) => panels.findings.filter(filter)),
        findings: makeFindings(page),
    };
    Object.assign(page, { panels, explain });
    page.root.replaceChildren(
        panels.head.node,
        panels.numbers.node,
        panels.limited.node,
        panels.charts.range,
        el("div", { class: "columns two" }, ...panels.charts.nodes),
        el("div", { class: "columns three" }, panels.stages.node, ...panels.answers.nodes),
        panels.hosts.node,
        panels.findings.node,
        explain.node,
    );
    page.stops.push(panels.charts.stop, panels.hosts.stop, panels.findings.stop, explain.stop);
    fromResource(page);
    setControls(page.root);
    connect(page);
    readTimeline(page);
    explain.follow(page.route.query);
}

/** Until the stream speaks, the resource is what is known. */
function fromResource(page) {
    const { counts, ...crawl } = page.crawl;
    page.state = {
        backlog: {},
        statuses: {},
        reasons: {},
        hosts: [],
        pages_per_second: null,
        ...page.state,
        ...counts,
        state: crawl.state,
        complete: crawl.complete,
    };
    draw(page);
}

function connect(page) {
    const over = (state) => {
        page.hasEnded = true;
        page.stream.stop();
        take(page, state);
        refresh(page);
    };
    const on = {
        progress: (state) => take(page, state),
        pages: (said) => page.panels.findings.take(said),
        hosts: ({ hosts }) => page.panels.hosts.take(hosts),
        end: over,
    };
    page.stream = new Stream(api.address(`${page.path}/progress`, { detail: 1 }), on);
    page.stops.push(() => page.stream.stop());
    page.timers.push(setInterval(() => document.hidden || isDone(page) || readTimeline(page), TIMELINE_MS));
}

const isOver = (page) => ["finished", "cancelled"].includes(page.state.state);
/** Nothing more will come: the stream has said its last word. */
const isDone = (page) => isOver(page) && (page.hasEnded || page.state.complete);

function take(page, state) {
    const before = page.state.state;
    page.state = { ...page.state, ...state };
    page.panels.charts.series.note(state, api.now() / 1000);
    if (before !== state.state) {
        announce(`The crawl is ${state.state}.`);
        refresh(page);
    } else tell(page);
    schedule(page);
}

function schedule(page) {
    if (page.scheduled) return;
    page.scheduled = setTimeout(
        () => requestAnimationFrame(() => draw(page)),
        Math.max(0, page.drawnAt + DRAW_MS - Date.now()),
    );
}

function draw(page) {
    page.scheduled = null;
    page.drawnAt = Date.now();
    if (page.isClosed) return;
    const { crawl, state, panels } = page;
    panels.head.update(crawl, state);
    panels.numbers.update(state, panels.charts.series.recently(api.now() / 1000, 20), crawl);
    panels.charts.prefer(isOver(page) ? "whole" : "recent");
    panels.charts.update();
    panels.limited.update(state);
    panels.stages.update(state);
    panels.answers.update(state);
    panels.hosts.update(crawl, state);
    panels.findings.update(state, isDone(page));
    const { done, all } = farOf(page);
    setTitle(`${all ? `${percentage(done, all)} ` : ""}${shortened(crawl.name, 60)}`);
}

const farOf = (page) => far(page.state, { most: page.crawl.options.max_pages, isOver: isOver(page) });

function tell(page) {
    if (page.state.state !== "running" || Date.now() - page.toldAt < TELL_MS) return;
    page.toldAt = Date.now();
    announce(`${farOf(page).words} are done, ${count(page.state.failed)} failed.`);
}

/** What only the resource says (version, times, options) is read again when the crawl's state changes. */
async function refresh(page) {
    try {
        changed(page, await asking(api.get(page.path)));
    } catch {
        return; // The connection shows what is wrong.
    }
    readTimeline(page);
}

function changed(page, crawl) {
    if (page.isClosed) return;
    page.crawl = crawl;
    page.state = {
        ...page.state,
        state: crawl.state,
        complete: crawl.complete,
        ...(crawl.complete ? crawl.counts : {}),
    };
    schedule(page);
}

async function readTimeline(page) {
    try {
        const timeline = await asking(api.get(`${page.path}/timeline`));
        if (page.isClosed) return;
        page.panels.charts.series.setTimeline(timeline, isDone(page) ? Infinity : api.now() / 1000);
        schedule(page);
    } catch {
        // The charts go on with what the stream says.
    }
}

function back(page) {
    if (!page.panels) return load(page);
    refresh(page);
    page.panels.findings.reload();
}

function follow(page, route) {
    page.route = route;
    page.explain?.follow(route.query);
}

function stop(page) {
    page.isClosed = true;
    clearTimeout(page.scheduled);
    page.timers.forEach(clearInterval);
    for (const end of page.stops) end();
}
