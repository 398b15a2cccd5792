// The fields of the start form, as data: what the API calls them, what people call them, how they are read.

import { el } from "./dom.js";

const SCOPES = [
    ["host", "the hosts of the seeds"],
    ["domain", "their whole domains"],
    ["any", "any host"],
];

/** What most crawls need. `kind` says how the text becomes JSON; an empty field is left to the server. */
export const BASIC = [
    {
        name: "seeds",
        kind: "lines",
        label: "Seeds",
        hint: "Addresses to start from, one a line.",
        rows: 4,
        wide: true,
        placeholder: "https://books.toscrape.com/",
    },
    { name: "name", kind: "text", label: "Name", hint: "Left empty: the first seed's host.", optional: true },
    { name: "spider", kind: "text", label: "Spider", hint: "What reads the pages." },
    { name: "scope", kind: "text", label: "Scope", hint: "Which links are followed.", options: SCOPES },
    {
        name: "delay",
        kind: "number",
        label: "Delay",
        unit: "seconds",
        hint: "Between requests to one host; 1 unless given.",
        min: 0,
        step: "any",
        optional: true,
    },
    {
        name: "per_host",
        kind: "number",
        label: "Per host",
        unit: "at a time",
        hint: "Requests in flight to one host; 1 unless given.",
        min: 1,
        optional: true,
    },
    { name: "max_pages", kind: "number", label: "Most pages", hint: "Empty or 0: no bound.", min: 0, optional: true },
    {
        name: "max_depth",
        kind: "number",
        label: "Greatest depth",
        unit: "links",
        hint: "From a seed; empty or 0: no bound.",
        min: 0,
        optional: true,
    },
];

/** What some need. */
export const FURTHER = [
    {
        name: "allow",
        kind: "lines",
        label: "Allow",
        hint: "Regular expressions, one a line: only URLs that one of them matches.",
        rows: 2,
        optional: true,
    },
    {
        name: "deny",
        kind: "lines",
        label: "Deny",
        hint: "Regular expressions, one a line: no URL that one of them matches.",
        rows: 2,
        optional: true,
    },
    {
        name: "webhook",
        kind: "text",
        label: "Webhook",
        hint: "An address that is told when the crawl starts, pauses and ends.",
        optional: true,
    },
    { name: "user_agent", kind: "text", label: "User agent", hint: "What the hosts are told.", optional: true },
    { name: "ignore_robots", kind: "flag", label: "Ignore robots.txt", hint: "Only for hosts that are yours." },
];

/** The field's label, control, hint, and the place for what is wrong with it. */
export function makeField(field, control = null) {
    const id = `f-${field.name}`;
    const input = control ?? makeControl(field, id);
    input.setAttribute("aria-describedby", `${id}-hint`);
    const hint = el("p", { class: "hint", id: `${id}-hint`, text: field.hint });
    const wrong = el("p", { class: "wrong", id: `${id}-wrong` });
    const unit = field.unit ? el("span", { class: "unit", text: field.unit }) : null;
    const label = el(
        "label",
        { for: id, text: field.label },
        field.optional ? el("span", { class: "optional", text: " optional" }) : null,
    );
    const kind = `field${field.wide ? " wide" : ""}${field.kind === "flag" ? " flag" : ""}`;
    const parts = field.kind === "flag" ? [input, label] : [label, el("div", { class: "control" }, input, unit)];
    return el("div", { class: kind }, ...parts, hint, wrong);
}

function makeControl(field, id) {
    const shared = { id, name: field.name, autocomplete: "off", spellcheck: "false" };
    if (field.options)
        return el("select", shared, ...field.options.map(([value, text]) => el("option", { value, text })));
    if (field.kind === "lines")
        return el("textarea", {
            ...shared,
            rows: field.rows,
            placeholder: field.placeholder ?? null,
            required: field.name === "seeds",
        });
    if (field.kind === "flag") return el("input", { ...shared, type: "checkbox" });
    // Not type=number: its spin buttons, its locale and its silence about what is no number are in the way.
    const numeric = { inputmode: field.step === "any" ? "decimal" : "numeric", class: "short" };
    return el("input", { ...shared, type: "text", ...(field.kind === "number" ? numeric : {}) });
}
