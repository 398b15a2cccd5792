// The form that starts a crawl. What the server finds wrong is said at the field it names.

import * as api from "./api.js";
import { asking } from "./connection.js";
import { el } from "./dom.js";
import { clearWrong, errorBox, readForm, showProblem } from "./form.js";
import { BASIC, FURTHER, makeField } from "./fields.js";

/** Show the form in `root`. */
export function open(root) {
    const spiders = el(
        "select",
        { id: "f-spider", name: "spider" },
        el("option", { value: "", text: "none: text and metadata" }),
    );
    const view = {
        key: null,
        sent: null,
        box: errorBox(),
        send: el("button", { class: "button primary", text: "Start the crawl", "data-needs-server": true }),
    };
    const fields = (list) => list.map((field) => makeField(field, field.name === "spider" ? spiders : null));
    const further = el(
        "details",
        { class: "further" },
        el("summary", { text: "More options" }),
        el("div", { class: "grid-form" }, ...fields(FURTHER)),
    );
    const cancel = el("a", { class: "button", href: "#/", text: "Back" });
    view.form = el(
        "form",
        {
            class: "card form",
            novalidate: true,
            "aria-labelledby": "start-title",
            on: { submit: (event) => submit(event, view) },
        },
        view.box,
        el("div", { class: "grid-form" }, ...fields(BASIC)),
        further,
        el("div", { class: "actions" }, view.send, cancel),
    );
    root.replaceChildren(
        el("div", { class: "page-head" }, el("h1", { id: "start-title", text: "Start a crawl" })),
        view.form,
    );
    loadSpiders(spiders);
    return { title: "Start a crawl", stop: () => {} };
}

async function loadSpiders(select) {
    try {
        const { spiders } = await asking(api.get("spiders"));
        for (const { name, seeds } of spiders) {
            const words = seeds?.length ? `${name} (has seeds of its own)` : name;
            select.append(el("option", { value: name, text: words }));
        }
    } catch {
        // Without the list a crawl can still be started; the connection shows what is wrong.
    }
}

async function submit(event, view) {
    event.preventDefault();
    clearWrong(view.form, view.box);
    const body = readForm(view.form, [...BASIC, ...FURTHER]);
    if (!body.seeds && !body.spider)
        return showProblem(view, { field: "seeds", message: "Give at least one address to start from." });
    view.send.dataset.busy = "true";
    view.send.disabled = true;
    try {
        const crawl = await asking(api.post("crawls", body, { "Idempotency-Key": keyOf(view, body) }));
        location.hash = `#/crawls/${encodeURIComponent(crawl.id)}`;
    } catch (error) {
        showProblem(view, error);
    } finally {
        view.send.dataset.busy = "false";
        view.send.disabled = false;
    }
}

/** The same key for the same words: a crawl whose answer was lost on the way is not started twice. */
function keyOf(view, body) {
    const words = JSON.stringify(body);
    if (view.sent !== words) {
        view.sent = words;
        view.key = [...crypto.getRandomValues(new Uint8Array(16))]
            .map((byte) => byte.toString(16).padStart(2, "0"))
            .join("");
    }
    return view.key;
}
