// A crawl's name, state and settings, and the buttons that steer it.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { makeBadge } from "./bar.js";
import { asking } from "./connection.js";
import { askForSeeds, confirm } from "./dialogs.js";
import { button, el, setText, stranger } from "./dom.js";
import { duration, fully, moment, plural, shortened, when } from "./text.js";

const IS_OVER = ["finished", "cancelled"];
const SCOPES = { host: "only the seeds' hosts", domain: "only the seeds' domains", any: "any host" };

/** The head; `changed(crawl)` is called with what the server answers to a button. */
export function makeHead(crawl, { path, changed }) {
    const view = { path, changed, name: crawl.name, crawl, state: crawl, badge: makeBadge() };
    view.times = el("span", { class: "num" });
    view.wrong = el("p", { class: "wrong", role: "alert" });
    view.pause = button("Pause", () => steer(view, view.state.state === "paused" ? "resume" : "pause"), {
        "data-needs-server": true,
    });
    view.add = button("Add seeds", () => add(view), { "data-needs-server": true });
    view.cancel = button("Cancel", () => cancel(view), { class: "danger", "data-needs-server": true });
    view.buttons = el(
        "div",
        { class: "actions", role: "group", "aria-label": "Steer the crawl" },
        view.pause,
        view.add,
        view.cancel,
    );
    const title = el("h1", { class: "crawl-title" }, stranger(crawl.name), view.badge.node);
    const facts = el("p", { class: "facts" }, view.times, el("span", { text: ` · ${settings(crawl.options)}` }));
    const words = el(
        "div",
        { class: "head-words" },
        el("p", { class: "crumb" }, el("a", { href: "#/", text: "Crawls" })),
        title,
        facts,
    );
    const node = el("div", { class: "crawl-top" }, words, view.buttons, view.wrong, seeds(crawl));
    return { node, update: (now, state) => update(view, now, state) };
}

function settings({
    spider,
    scope,
    delay,
    per_host: perHost,
    max_pages: pages,
    max_depth: depth,
    ignore_robots: rude,
}) {
    const parts = [spider ? `spider ${shortened(spider, 60)}` : "no spider", SCOPES[scope] ?? scope];
    parts.push(delay ? `${delay} s between requests to a host` : "no delay", `${perHost} at a time`);
    if (pages) parts.push(`at most ${plural(pages, "page")}`);
    if (depth) parts.push(`at most ${plural(depth, "link")} deep`);
    if (rude) parts.push("robots.txt ignored");
    return parts.join(" · ");
}

function seeds(crawl) {
    const list = el("ul", {}, ...crawl.seeds.map((url) => el("li", {}, stranger(url))));
    const more = crawl.seed_count - crawl.seeds.length;
    const rest = more > 0 ? el("p", { class: "note", text: `and ${plural(more, "more seed")}` }) : null;
    const facts = el(
        "p",
        { class: "note" },
        "id ",
        el("code", { text: crawl.id }),
        ` · user agent ${shortened(crawl.options.user_agent, 200)}`,
    );
    return el(
        "details",
        { class: "seeds" },
        el("summary", { text: plural(crawl.seed_count, "seed") }),
        list,
        rest,
        facts,
    );
}

function update(view, crawl, state) {
    Object.assign(view, { crawl, state });
    view.badge.update(state.state);
    const isOver = IS_OVER.includes(state.state);
    if (view.buttons.hidden !== isOver) view.buttons.hidden = isOver;
    setText(view.pause, state.state === "paused" ? "Resume" : "Pause");
    const [from, until] = [moment(crawl.started_at), moment(crawl.finished_at)];
    setText(view.times, timing(from, until));
    view.times.title = from === null ? "" : `started ${fully(from)}${until ? `, ended ${fully(until)}` : ""}`;
}

function timing(from, until) {
    if (from === null) return "about to start";
    if (until) return `took ${duration((until - from) / 1000)}, ended ${when(until, api.now())}`;
    return `started ${when(from, api.now())}, ${duration((api.now() - from) / 1000)} ago`;
}

async function steer(view, verb, body = {}) {
    const buttons = [view.pause, view.add, view.cancel];
    view.wrong.textContent = "";
    busy(buttons, true);
    try {
        view.changed(await asking(api.post(`${view.path}/${verb}`, body)));
        announce({ pause: "Paused.", resume: "Resumed.", cancel: "Cancelled.", seeds: "Seeds added." }[verb]);
    } catch (error) {
        view.wrong.textContent = shortened(error.message);
    } finally {
        busy(buttons, false);
    }
}

/** A button in use keeps the focus: it is not switched off, but does nothing. */
function busy(buttons, isBusy) {
    for (const node of buttons) {
        node.toggleAttribute("aria-busy", isBusy);
        node.classList.toggle("busy", isBusy);
    }
}

async function cancel(view) {
    const left = (view.state.queued ?? 0) + (view.state.in_flight ?? 0);
    const words = `It cannot be undone: ${plural(left, "known URL")} will not be fetched. What was fetched stays.`;
    const sure = await confirm({
        title: `Cancel ${shortened(view.name, 80)}?`,
        words,
        yes: "Cancel the crawl",
        no: "Keep crawling",
    });
    if (sure) await steer(view, "cancel");
}

async function add(view) {
    await askForSeeds(async (seeds) => view.changed(await asking(api.post(`${view.path}/seeds`, { seeds }))));
}
