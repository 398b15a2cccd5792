// Questions that wait for an answer. A <dialog> keeps the focus inside, closes on Escape, and gives the focus back.

import { button, el } from "./dom.js";
import { clearWrong, errorBox, lines, showProblem } from "./form.js";

let made = 0;

/** Show a dialog; removed from the page when it closes. */
export function show(title, { kind = "", closed = () => {} } = {}, ...children) {
    const id = `d-${(made += 1)}`;
    const close = button("×", () => node.close(), { class: "quiet close", "aria-label": "Close" });
    const head = el("div", { class: "dialog-head" }, el("h2", { id, text: title }), close);
    const node = el("dialog", { "aria-labelledby": id, class: kind }, head, ...children);
    node.addEventListener("close", () => (node.remove(), closed(node.returnValue)));
    node.addEventListener("click", (event) => event.target === node && node.close());
    document.body.append(node);
    node.showModal();
    return node;
}

/** Ask a yes or no; gives whether it was yes. What is safe has the focus. */
export function confirm({ title, words, yes, no }) {
    return new Promise((settle) => {
        const node = show(
            title,
            { kind: "small", closed: (answer) => settle(answer === "yes") },
            el("p", { text: words }),
            el(
                "div",
                { class: "actions end" },
                button(no, () => node.close(), { autofocus: true }),
                button(yes, () => node.close("yes"), { class: "danger solid" }),
            ),
        );
        node.querySelector("[autofocus]").focus();
    });
}

/** Ask for seeds; `send(seeds)` may raise a problem, which is shown at the field. */
export async function askForSeeds(send) {
    const box = errorBox();
    const input = el("textarea", {
        id: "add-seeds",
        name: "seeds",
        rows: 5,
        spellcheck: "false",
        "aria-describedby": "add-seeds-hint",
    });
    const label = el("label", { for: "add-seeds", text: "Seeds" });
    const hint = el("p", { class: "hint", id: "add-seeds-hint", text: "Addresses to start from too, one a line." });
    const field = el("div", { class: "field" }, label, input, hint, el("p", { class: "wrong", id: "add-seeds-wrong" }));
    const actions = el(
        "div",
        { class: "actions end" },
        el("button", { class: "button primary", text: "Add them", "data-needs-server": true }),
    );
    const form = el(
        "form",
        { class: "form", novalidate: true, on: { submit: (event) => submit(event) } },
        box,
        field,
        actions,
    );
    const node = show("Add seeds", { kind: "small" }, form);
    input.focus();
    async function submit(event) {
        event.preventDefault();
        clearWrong(form, box);
        try {
            await send(lines(input.value));
            node.close();
        } catch (error) {
            showProblem({ form, box }, error);
        }
    }
}
