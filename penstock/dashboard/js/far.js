// How far a crawl is. Pure: takes counts, gives numbers and a sentence.
//
// What was left out was never to be fetched: it is neither work done nor work to do. Where the crawl has a bound on its
// pages, that is its end, unless it ends earlier.

import { count } from "./text.js";

/** Pages are what was answered with 2xx; where answers are not known by their status, redirects count too. */
const pagesOf = ({ statuses, fetched = 0 }) => {
    const known = Object.entries(statuses ?? {});
    if (!known.length) return fetched;
    return known.filter(([code]) => code.startsWith("2")).reduce((sum, [, number]) => sum + number, 0);
};

/** `{done, all, parts, words}`: parts are those of `done`, and what is under way. */
export function far(counts, { most = 0, isOver = false, spell = count } = {}) {
    const { fetched = 0, failed = 0, excluded = 0, in_flight: inFlight = 0, discovered = 0 } = counts;
    if (most) {
        const done = Math.min(most, pagesOf(counts));
        const all = isOver ? done : most;
        const under = Math.min(inFlight, all - done);
        return { done, all, parts: [done, 0, under], words: `${spell(done)} of at most ${spell(most)} pages` };
    }
    const done = fetched + failed;
    const all = Math.max(done, discovered - excluded);
    const words = all ? `${spell(done)} of ${spell(all)} URLs` : "No URL known yet";
    return { done, all, parts: [fetched, failed, Math.min(inFlight, all - done)], words };
}

/** 42%, and 100% only when nothing is left. */
export function percentage(done, all) {
    return done >= all ? "100%" : `${Math.min(99, Math.floor((done / all) * 100))}%`;
}
