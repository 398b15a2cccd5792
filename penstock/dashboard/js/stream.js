// Server-sent events, one stream at a time for the page in view. The browser reconnects by itself and says where it was
// (Last-Event-ID); a stream that it gave up is opened anew. A page that nobody looks at lets go of its stream, so that
// many open tabs do not use up the connections a browser allows to one server.

import * as api from "./api.js";
import * as connection from "./connection.js";

/** A hidden page keeps its stream for this long. */
const HIDDEN_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

/** Follow a path; `on` has a function for each event's name, called with its parsed data. `stop()` ends it. */
export class Stream {
    #source = null;
    #retry = null;
    #hiding = null;
    #waitMs = FIRST_RETRY_MS;
    #isOver = false;

    constructor(url, on) {
        Object.assign(this, { url, on });
        this.seen = () => this.#visibility();
        document.addEventListener("visibilitychange", this.seen);
        this.unlisten = connection.listen((state) => (state === "live" ? this.#open() : this.#doubt()));
        if (!document.hidden) this.#open();
    }

    /** Let go of the stream for good. */
    stop() {
        this.#isOver = true;
        this.#close();
        clearTimeout(this.#hiding);
        this.unlisten();
        document.removeEventListener("visibilitychange", this.seen);
    }

    #open() {
        if (this.#isOver || this.#source) return;
        clearTimeout(this.#retry);
        const source = new EventSource(this.url);
        this.#source = source;
        source.onopen = () => this.#heard();
        source.onerror = () => this.#broke();
        for (const [name, act] of Object.entries(this.on)) {
            source.addEventListener(name, (event) => {
                this.#heard();
                act(JSON.parse(event.data));
            });
        }
    }

    /** A line that looks open while the server does not answer is dead; one that reconnects is left to do so. */
    #doubt() {
        if (this.#source?.readyState === EventSource.OPEN) this.#close();
    }

    #close() {
        clearTimeout(this.#retry);
        this.#source?.close();
        this.#source = null;
    }

    #heard() {
        this.#waitMs = FIRST_RETRY_MS;
        connection.heard();
    }

    /** The browser tries again by itself unless the answer was a refusal; then the server is asked why. */
    async #broke() {
        if (this.#isOver) return;
        if (this.#source?.readyState === EventSource.CONNECTING) return connection.lost();
        this.#close();
        try {
            const { required, ok } = await connection.asking(api.get("session"));
            if (required && !ok) return connection.wantToken();
        } catch {
            // Lost: the connection knows, and the stream is opened when the server is back.
        }
        if (this.#isOver) return;
        this.#retry = setTimeout(() => this.#open(), this.#waitMs);
        this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_RETRY_MS);
    }

    #visibility() {
        clearTimeout(this.#hiding);
        if (document.hidden) this.#hiding = setTimeout(() => this.#close(), HIDDEN_MS);
        else this.#open();
    }
}
