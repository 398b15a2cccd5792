// What a crawl found: its latest pages, failures and items, on three tabs, and a field that asks about one URL.

import { isOnPurpose } from "./answers.js";
import { el } from "./dom.js";
import { explainHash } from "./explain.js";
import { makeItems } from "./items.js";
import { makePages } from "./pages.js";
import { makeTabs } from "./tabs.js";
import { reason } from "./text.js";

/** What failures have in common with pages is their row. */
const asPage = ({ failed_at: at, ...failure }) => ({ ...failure, outcome: "failed", settled_at: at });

const OUTCOME = {
    name: "outcome",
    label: "Outcome",
    options: [["", "all"], ...["fetched", "failed", "excluded"].map((word) => [word, word])],
};
const REASON = { name: "reason", label: "Reason", hint: "any" };
const HOST = { name: "host", label: "Host", hint: "https://…" };
const TEXT = { name: "text", label: "Text", hint: "in URL or title" };

/** Where these tabs are among the tabs. */
const [PAGES, FAILURES] = [0, 1];
/** Whether failures can be looked at by this filter, and there may be some. */
const mayFail = ({ status, reason: why }) => !status && !(why && isOnPurpose(why));

/** The panel; `take(said)` is for the stream's pages, `filter(by)` shows those alone, among failures or all pages. */
export function makeFindings(page) {
    const pages = makePages(page, {
        caption: "Latest pages",
        path: "pages",
        filters: [OUTCOME, REASON, HOST, TEXT],
        list: ({ pages: rows }) => rows,
        wants: () => true,
        says: ({ title }) => title,
    });
    const failures = makePages(page, {
        caption: "Latest failures",
        path: "failures",
        filters: [REASON, HOST],
        list: ({ failures: rows }) => rows.map(asPage),
        wants: ({ outcome }) => outcome === "failed",
        last: "What went wrong",
        says: ({ detail, reason: why }) => detail || (why ? reason(why) : null),
        empty: "Nothing failed.",
    });
    const items = makeItems(page);
    const parts = [pages, failures, items];
    const tabs = makeTabs("What it found", [
        ["Pages", pages],
        ["Failures", failures],
        ["Items", items],
    ]);
    const node = el(
        "section",
        { class: "panel findings", "aria-label": "What it found" },
        el("div", { class: "panel-head" }, tabs.list, makeAsk(page.id)),
        ...tabs.bodies,
    );
    tabs.choose(PAGES);
    return {
        node,
        take: (said) => [pages, failures].forEach((part) => part.take(said)),
        update: (state, isDone) => parts.forEach((part) => part.update(state, isDone)),
        reload: () => parts.forEach((part) => part.reload()),
        stop: () => parts.forEach((part) => part.stop()),
        filter: (by) => {
            const stays = tabs.chosen() === FAILURES && mayFail(by);
            tabs.choose(stays ? FAILURES : PAGES);
            (stays ? failures : pages).filter(by);
            node.scrollIntoView({ block: "nearest" });
        },
    };
}

function makeAsk(id) {
    const input = el("input", {
        type: "text",
        inputmode: "url",
        name: "url",
        id: "ask-url",
        placeholder: "https://…",
        autocomplete: "off",
        spellcheck: "false",
    });
    const label = el("label", { for: "ask-url", text: "Explain a URL" });
    const ask = (event) => {
        event.preventDefault();
        if (input.value.trim()) location.hash = explainHash(id, input.value.trim());
    };
    return el(
        "form",
        { class: "ask", role: "search", on: { submit: ask } },
        label,
        input,
        el("button", { text: "Explain" }),
    );
}
