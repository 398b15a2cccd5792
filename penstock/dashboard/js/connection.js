// Whether the server is there: one truth for the whole page. Streams and requests report to it, a watchdog asks when
// nobody does, and whoever wants to know listens.
//
//     connecting → live ⇄ lost

import * as api from "./api.js";

/** A stream says nothing while nothing happens, so a dead line is found by asking this often. */
const ASK_MS = 15_000;
/** While the server is lost it is asked after this, then after longer and longer. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;

const listeners = new Set();
let timer = null;
let retryMs = FIRST_RETRY_MS;

export let state = "connecting";
/** Unix milliseconds of this machine when the server last said something. */
export let heardAt = Date.now();

/** Call `act(state, before)` after each change. Gives a function that stops it. */
export function listen(act) {
    listeners.add(act);
    return () => listeners.delete(act);
}

/** Something came from the server. */
export function heard() {
    heardAt = Date.now();
    retryMs = FIRST_RETRY_MS;
    change("live");
}

/** Something that should have come did not. */
export function lost() {
    change("lost");
}

/** Do a request, and note what it says about the connection. */
export async function asking(promise) {
    try {
        const answer = await promise;
        heard();
        return answer;
    } catch (error) {
        if (error instanceof api.Lost) lost();
        else heard();
        if (error.status === 401) wantToken();
        throw error;
    }
}

/** The server wants a token that this browser has not got: the frame asks for it. */
export function wantToken() {
    window.dispatchEvent(new Event("token-wanted"));
}

function change(next) {
    if (state === next) return;
    const before = state;
    state = next;
    setControls();
    for (const act of [...listeners]) act(next, before);
    if (next === "lost") askSoon(retryMs);
}

/** Controls that need the server are off while it is lost; `data-busy` ones stay off. */
export function setControls(root = document) {
    for (const node of root.querySelectorAll("[data-needs-server]")) {
        node.disabled = state === "lost" || node.dataset.busy === "true";
    }
}

/** Start the watchdog. */
export function watch() {
    askSoon(ASK_MS);
    window.addEventListener("offline", lost);
    window.addEventListener("online", () => askSoon(0));
    document.addEventListener("visibilitychange", () => document.hidden || askSoon(0));
}

function askSoon(ms) {
    clearTimeout(timer);
    timer = setTimeout(ask, ms);
}

async function ask() {
    const isQuiet = Date.now() - heardAt > ASK_MS / 2;
    if (!document.hidden && (state !== "live" || isQuiet)) {
        if (await api.isThere()) heard();
        else lost();
    }
    if (state === "lost") retryMs = Math.min(retryMs * 1.6, LONGEST_RETRY_MS);
    askSoon(state === "lost" ? retryMs : ASK_MS);
}
