// What a screen reader is told: at most one sentence in some seconds, the latest one, and never the same one twice.

/** Sentences closer than this would talk over one another. */
const APART_MS = 6_000;

let saidAt = 0;
let waiting = null;
let timer = null;

/** Say a sentence, now or when the one before has had its time. */
export function announce(sentence) {
    waiting = sentence;
    clearTimeout(timer);
    timer = setTimeout(say, Math.max(0, saidAt + APART_MS - Date.now()));
}

function say() {
    const node = document.getElementById("says");
    if (waiting === null || node.textContent === waiting) return;
    node.textContent = waiting;
    saidAt = Date.now();
    waiting = null;
}
