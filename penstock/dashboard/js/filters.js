// What is shown of a list, chosen by its fields; and the list as a file.

import * as api from "./api.js";
import { el, keyed } from "./dom.js";
import { shortened } from "./text.js";

/** Typing is over when nothing was typed for this long. */
const PAUSE_MS = 300;
/** Values that a field offers. */
const MOST_OFFERED = 50;

/** A form of `fields` [{name, label, options?}]; `changed(by)` is told what is asked for: {} is everything. */
export function makeFilters(list, fields, changed) {
    let timer = null;
    const controls = new Map(fields.map((field) => [field.name, makeControl(list, field)]));
    const tell = () => {
        clearTimeout(timer);
        const said = [...controls].map(([name, { input }]) => [name, input.value.trim()]);
        changed(Object.fromEntries(said.filter(([, value]) => value)));
    };
    const soon = () => (clearTimeout(timer), (timer = setTimeout(tell, PAUSE_MS)));
    const submit = (event) => (event.preventDefault(), tell());
    const node = el(
        "form",
        { class: "filters", "aria-label": `Filter ${list}`, on: { input: soon, submit } },
        ...[...controls.values()].map((control) => control.node),
    );
    return {
        node,
        /** Show what is asked for, if somebody else has asked. */
        set: (by) => controls.forEach(({ input }, name) => (input.value = by?.[name] ?? "")),
        offer: (name, values) => offer(controls.get(name), values),
        stop: () => clearTimeout(timer),
    };
}

function makeControl(list, { name, label, options = null, hint = null }) {
    const id = `by-${list}-${name}`;
    const words = el("label", { for: id, text: label });
    if (options) {
        const input = el("select", { id, name }, ...options.map(([value, text]) => el("option", { value, text })));
        return { input, node: el("div", { class: "filter" }, words, input) };
    }
    const offered = el("datalist", { id: `${id}-offered` });
    const props = { type: "text", autocomplete: "off", spellcheck: "false", placeholder: hint };
    const input = el("input", { id, name, list: offered.id, ...props });
    return { input, offered, node: el("div", { class: "filter" }, words, input, offered) };
}

function offer({ offered }, values) {
    keyed(offered, values.slice(0, MOST_OFFERED), { key: (value) => value, make: (value) => el("option", { value }) });
}

/** Links to the whole list as a file, whatever is shown of it. */
export function makeDownloads(path, list) {
    const link = (format, text) =>
        el("a", {
            class: "button small-button",
            href: api.address(`${path}/download/${list}`, { format }),
            download: "",
            text,
            "aria-label": shortened(`Download all ${list} as ${text}`),
            title: `All ${list} of the crawl, as recorded`,
        });
    return el("div", { class: "downloads" }, link("csv", "CSV"), link("jsonl", "JSON Lines"));
}
