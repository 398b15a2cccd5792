// The token that the server asks for: given once, then kept by the browser in a cookie that no script can read.

import * as api from "./api.js";
import { el } from "./dom.js";
import { shortened } from "./text.js";

/** Show the form; `done()` is called when the server has taken the token. */
export function open(root, done) {
    const input = el("input", {
        id: "token",
        name: "token",
        type: "password",
        autocomplete: "current-password",
        required: true,
        spellcheck: "false",
    });
    const wrong = el("p", { class: "wrong", id: "token-wrong", role: "alert" });
    const send = el("button", { class: "button primary", text: "Open", "data-needs-server": true });
    const form = el(
        "form",
        {
            class: "card narrow form",
            novalidate: true,
            on: { submit: (event) => submit(event, { input, wrong, send, done }) },
        },
        el("h1", { text: "This server asks for a token" }),
        el("p", { class: "note", text: "It is the api_token of the server's settings, PENSTOCK_API_TOKEN." }),
        el("div", { class: "field" }, el("label", { for: "token", text: "Token" }), input, wrong),
        el("div", { class: "actions" }, send),
    );
    root.replaceChildren(form);
    input.focus();
    return { title: "Token", stop: () => {} };
}

async function submit(event, { input, wrong, send, done }) {
    event.preventDefault();
    wrong.textContent = "";
    input.removeAttribute("aria-invalid");
    send.disabled = true;
    try {
        await api.post("session", { token: input.value });
        done();
    } catch (error) {
        wrong.textContent = error.status === 401 ? "That is not the token." : shortened(error.message);
        input.setAttribute("aria-invalid", "true");
        input.setAttribute("aria-describedby", wrong.id);
        input.select();
    } finally {
        send.disabled = false;
    }
}
