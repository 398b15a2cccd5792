// Reading a form, and saying what is wrong with it at the field at fault.

import { el } from "./dom.js";
import { shortened } from "./text.js";

/** The box above a form for what belongs to no field. */
export const errorBox = () => el("div", { class: "form-error", role: "alert" });

/** The JSON that the filled-in fields come to; what is empty is left out. */
export function readForm(form, fields) {
    const body = {};
    for (const { name, kind } of fields) {
        const control = form.elements[name];
        const text = control.value.trim();
        if (kind === "flag") control.checked && (body[name] = true);
        else if (text && kind === "lines") body[name] = lines(text);
        else if (text && kind === "number") body[name] = Number.isFinite(Number(text)) ? Number(text) : text;
        else if (text) body[name] = text;
    }
    return body;
}

/** Its lines, without blank ones. */
export function lines(text) {
    return text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter(Boolean);
}

/** Forget what was said. */
export function clearWrong(form, box) {
    box.replaceChildren();
    for (const node of form.querySelectorAll(".wrong")) node.textContent = "";
    for (const node of form.querySelectorAll("[aria-invalid]")) {
        node.removeAttribute("aria-invalid");
        node.setAttribute("aria-describedby", `${node.id}-hint`);
    }
}

/** Say a problem at its field and go there; above the form if it names none that is here. */
export function showProblem({ form, box }, error) {
    const [name, index] = (error.field ?? "").split(".");
    const control = name ? form.elements[name] : null;
    const words = shortened(error.message);
    if (!control) return sayAbove(box, words, error);
    const line = /^\d+$/.test(index ?? "") ? `Line ${Number(index) + 1}: ` : "";
    const wrong = form.querySelector(`#${CSS.escape(control.id)}-wrong`);
    wrong.replaceChildren(line + words, ...linkTo(error));
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", `${control.id}-wrong ${control.id}-hint`);
    const folded = control.closest("details");
    if (folded) folded.open = true;
    control.focus();
}

function sayAbove(box, words, error) {
    box.replaceChildren(el("p", {}, words, ...linkTo(error)));
    box.scrollIntoView({ block: "nearest" });
}

/** An unfinished crawl of that name is the one that was meant, more often than not. */
function linkTo(error) {
    const crawl = error.details?.crawl;
    if (typeof crawl !== "string") return [];
    return [" ", el("a", { href: `#/crawls/${encodeURIComponent(crawl)}`, text: "Open it" })];
}
