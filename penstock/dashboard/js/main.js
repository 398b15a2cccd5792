// The page's frame: which view is open (by the address's hash), whether the server is there, whether it wants a token.

import * as api from "./api.js";
import { announce } from "./announce.js";
import * as connection from "./connection.js";
import { el, setTitle } from "./dom.js";
import { clock } from "./text.js";
import { failure } from "./states.js";
import * as crawl from "./crawl.js";
import * as list from "./list.js";
import * as login from "./login.js";
import * as start from "./start.js";

const root = document.getElementById("main");
const ROUTES = [
    [/^\/$/, list, "crawls"],
    [/^\/start$/, start, "start"],
    [/^\/crawls\/([^/]+)$/, crawl, "crawls"],
];
const WORDS = { connecting: "Connecting", live: "Connected", lost: "Disconnected" };

let view = null;
let shown = null;

/** Where the address points: a path, what was captured from it, and the query behind it. */
function route() {
    const [path, query] = (location.hash.slice(1) || "/").split(/\?(.*)/s);
    const found = ROUTES.find(([pattern]) => pattern.test(path)) ?? ROUTES[0];
    const [, part] = found[0].exec(path) ?? [];
    return {
        path,
        module: found[1],
        nav: found[2],
        id: part ? decoded(part) : null,
        query: new URLSearchParams(query ?? ""),
    };
}

function decoded(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}

function go() {
    const wanted = route();
    if (view && shown === wanted.path && view.change) return view.change(wanted);
    const isFirst = shown === null;
    leave();
    shown = wanted.path;
    view = wanted.module.open(root, wanted);
    setTitle(view.title);
    for (const link of document.querySelectorAll("[data-nav]")) {
        link.toggleAttribute("aria-current", false);
        if (link.dataset.nav === wanted.nav)
            link.setAttribute("aria-current", wanted.path === link.hash.slice(1) ? "page" : "true");
    }
    if (isFirst) return;
    window.scrollTo(0, 0);
    if (!root.contains(document.activeElement)) root.focus({ preventScroll: true });
}

function leave() {
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    view?.stop();
    view = shown = null;
}

function askForToken() {
    leave();
    view = login.open(root, () => {
        leave();
        document.getElementById("log-out").hidden = false;
        go();
    });
    setTitle(view.title);
}

function showConnection(state, before) {
    const node = document.getElementById("link-state");
    node.dataset.state = state;
    node.querySelector(".link-words").textContent = WORDS[state];
    document.body.classList.toggle("is-lost", state === "lost");
    const banner = document.getElementById("banner");
    banner.hidden = state !== "lost";
    if (state === "lost") banner.replaceChildren(lostWords());
    if (state === "live" && before === "lost") announce("Connected again.");
}

function lostWords() {
    const at = el("span", { class: "num", text: clock(connection.heardAt) });
    const words = "This page tries again by itself; what it shows is from ";
    return el("p", { class: "wrap" }, el("strong", { text: "The server does not answer. " }), words, at, ".");
}

async function begin() {
    connection.listen(showConnection);
    connection.watch();
    document.getElementById("skip").addEventListener("click", (event) => {
        event.preventDefault();
        root.focus();
    });
    document.getElementById("log-out").addEventListener("click", async () => {
        await connection.asking(api.drop("session")).catch(() => {});
        location.reload();
    });
    window.addEventListener("hashchange", () => (root.querySelector("#token") ? null : go()));
    window.addEventListener("token-wanted", askForToken);
    await enter();
}

/** Ask whether a token is wanted; a server that is not there yet is asked again as soon as it is. */
async function enter() {
    try {
        const { required, ok } = await connection.asking(api.get("session"));
        document.getElementById("log-out").hidden = !required || !ok;
        if (required && !ok) askForToken();
        else go();
    } catch (error) {
        if (!(error instanceof api.Lost)) return root.replaceChildren(failure("The server cannot be used", error));
        const unlisten = connection.listen((state) => state === "live" && (unlisten(), enter()));
    }
}

begin();
