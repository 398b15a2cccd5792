// Elements, made without a parser: everything goes in as text or as a named attribute, so no data can become markup.

import { shortened } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element; `props` are attributes, but for `text`, `on` (listeners) and what is null or false. */
export function el(tag, props = {}, ...children) {
    return filled(document.createElement(tag), props, children);
}

/** The same, of SVG. */
export function svg(tag, props = {}, ...children) {
    return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(node, props, children) {
    for (const [name, value] of Object.entries(props)) {
        if (name === "text") node.textContent = value;
        else if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
        else if (value !== null && value !== undefined && value !== false)
            node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
}

/** Change an element's text, if it is another. */
export function setText(node, text) {
    const words = String(text);
    if (node.firstChild?.nodeType === Node.TEXT_NODE && !node.firstChild.nextSibling) {
        if (node.firstChild.data !== words) node.firstChild.data = words;
    } else if (node.textContent !== words) node.textContent = words;
}

/** Change an attribute, if it is another; null takes it away. */
export function setAttr(node, name, value) {
    if (value === null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** What a stranger wrote, on its own: no direction mark in it reaches its neighbours. More of it is in the tooltip. */
export function stranger(text, props = {}) {
    const short = shortened(text);
    return el("bdi", {
        ...props,
        class: `stranger ${props.class ?? ""}`.trim(),
        text: short,
        title: shortened(text, 1000),
    });
}

/** Whether an address may become a link: http and https alone. */
export function isWeb(url) {
    try {
        return ["http:", "https:"].includes(new URL(url).protocol);
    } catch {
        return false;
    }
}

/** A small link that leaves for a crawled page; nothing for what is no web address. */
export function outward(url) {
    if (!isWeb(url)) return null;
    const props = { href: url, target: "_blank", rel: "noopener noreferrer nofollow", class: "outward" };
    return el(
        "a",
        { ...props, "aria-label": `Open ${shortened(url, 120)} in a new tab`, title: "Open the page itself" },
        arrow(),
    );
}

function arrow() {
    const path = svg("path", { d: "M4 2h6v6M10 2 3 9", fill: "none", stroke: "currentColor", "stroke-width": "1.5" });
    return svg("svg", { viewBox: "0 0 12 12", width: "12", height: "12", "aria-hidden": "true" }, path);
}

/** Make the children of a parent those of `items`, reusing the node of each key, in as few moves as it takes. */
export function keyed(parent, items, { key, make, update = null }) {
    const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
    let at = parent.firstElementChild;
    for (const item of items) {
        const name = String(key(item));
        let node = known.get(name);
        if (!node) (node = make(item)).dataset.key = name;
        known.delete(name);
        update?.(node, item);
        if (node === at) at = at.nextElementSibling;
        else parent.insertBefore(node, at);
    }
    // Whatever was not asked for has been pushed behind the last one.
    while (at) [at] = [at.nextElementSibling, at.remove()];
}

/** A table with a caption for those who cannot see its heading, a head of `columns` and an empty body. */
export function table(caption, columns, props = {}) {
    const cells = columns.map(([words, kind]) => el("th", { scope: "col", class: kind ?? null, text: words }));
    const body = el("tbody");
    const head = el("thead", {}, el("tr", {}, ...cells));
    const node = el("table", props, el("caption", { class: "unseen", text: caption }), head, body);
    const frame = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, node);
    return { node: frame, body, head };
}

/** A section with a heading of its own. */
export function panel(title, { level = "h2", note = null, side = null, kind = "" } = {}, ...children) {
    const id = `p-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
    const heading = el(level, { id, text: title });
    const head = el(
        "div",
        { class: "panel-head" },
        heading,
        note ? el("p", { class: "note", text: note }) : null,
        side,
    );
    return el("section", { class: `panel ${kind}`.trim(), "aria-labelledby": id }, head, ...children);
}

/** A button. */
export function button(words, act, props = {}) {
    return el("button", { type: "button", ...props, text: words, on: { click: act } });
}

/** The name of the view in the browser's tab. */
export function setTitle(words) {
    document.title = words ? `${words} · Penstock` : "Penstock";
}
