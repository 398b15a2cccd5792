// Tabs as WAI-ARIA has them: one is in the tab order, arrows go to the others.

import { el } from "./dom.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

/** Tabs for parts with a `node` and `shown(isShown)`. */
export function makeTabs(label, parts) {
    const buttons = parts.map(([title], at) =>
        el("button", {
            type: "button",
            role: "tab",
            id: `tab-${at}`,
            "aria-controls": `tab-body-${at}`,
            text: title,
            on: { click: () => choose(at), keydown: (event) => move(event, at) },
        }),
    );
    const bodies = parts.map(([, part], at) =>
        el("div", { role: "tabpanel", id: `tab-body-${at}`, "aria-labelledby": `tab-${at}`, hidden: true }, part.node),
    );
    const list = el("div", { class: "tabs", role: "tablist", "aria-label": label }, ...buttons);

    let current = 0;

    function choose(chosen) {
        current = chosen;
        parts.forEach(([, part], at) => {
            buttons[at].setAttribute("aria-selected", String(at === chosen));
            buttons[at].tabIndex = at === chosen ? 0 : -1;
            bodies[at].hidden = at !== chosen;
            part.shown(at === chosen);
        });
    }

    function move(event, at) {
        const ends = { Home: 0, End: parts.length - 1 };
        const next =
            ends[event.key] ?? (event.key in STEPS ? (at + STEPS[event.key] + parts.length) % parts.length : null);
        if (next === null) return;
        event.preventDefault();
        choose(next);
        buttons[next].focus();
    }

    return { list, bodies, choose, chosen: () => current };
}
