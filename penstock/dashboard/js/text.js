// Words and numbers for people. Pure: takes values, gives text.
//
// What strangers made (titles, URLs, items) goes through `visible` before it is shown: control and direction characters
// are spelled out, so that it stays on its line and reads as it is stored. A lone surrogate counts as such.

const CONTROL = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;
const SHORT = new Map([
    ["\t", "\\t"],
    ["\n", "\\n"],
    ["\r", "\\r"],
]);

/** Characters of one stranger's text that are shown, however wide the screen. */
export const MOST_CHARACTERS = 300;

/** The text with control and direction characters spelled out as Python's unicode_escape does. */
export function visible(text) {
    return String(text).replace(CONTROL, (mark) => SHORT.get(mark) ?? escaped(mark.codePointAt(0)));
}

function escaped(code) {
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** At most that many characters of it, made visible; what is cut off is marked by an ellipsis. */
export function shortened(text, most = MOST_CHARACTERS) {
    const head = String(text ?? "").slice(0, most * 2);
    const characters = [...head];
    const cut = characters.length > most || head.length < String(text ?? "").length;
    return visible(characters.slice(0, most).join("")) + (cut ? "…" : "");
}

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 1,234,567 */
export const count = (number) => WHOLE.format(number ?? 0);

/** 1.2M; whole below ten thousand. */
export const compact = (number) => (number < 10_000 ? count(number) : SMALL.format(number));

/** "1 page", "2 pages". */
export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

/** 57.2, 0.03, 1,200: three digits that matter. */
export function rate(number) {
    if (number === null || number === undefined || Number.isNaN(number)) return "–";
    if (number >= 100 || number === 0) return count(number);
    return number >= 1 ? number.toFixed(1) : number.toFixed(2);
}

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"];

/** 2.3 MB, by thousands. */
export function size(bytes) {
    let number = bytes ?? 0;
    let step = 0;
    while (number >= 999.5 && step < SIZES.length - 1) [number, step] = [number / 1000, step + 1];
    return `${step && number < 99.5 ? number.toFixed(1) : Math.round(number)} ${SIZES[step]}`;
}

/** 85 ms, 1.2 s. */
export function milliseconds(ms) {
    if (ms === null || ms === undefined) return "–";
    if (ms < 1000) return `${Math.round(ms)} ms`;
    return ms < 99_950 ? `${(ms / 1000).toFixed(1)} s` : duration(ms / 1000);
}

/** 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function duration(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    const parts = [
        ["d", 86_400],
        ["h", 3600],
        ["min", 60],
        ["s", 1],
    ];
    const at = Math.max(
        0,
        parts.findIndex(([, unit]) => whole >= unit),
    );
    if (whole === 0) return "0 s";
    const [word, unit] = parts[at];
    const next = parts[at + 1];
    const rest = next ? Math.floor((whole % unit) / next[1]) : 0;
    return `${Math.floor(whole / unit)} ${word}${rest ? ` ${rest} ${next[0]}` : ""}`;
}

/** Unix milliseconds of an ISO time or of Unix seconds or milliseconds; null for nothing. */
export function moment(value) {
    if (value === null || value === undefined || value === "") return null;
    if (typeof value === "number") return value < 1e11 ? value * 1000 : value;
    const parsed = Date.parse(value);
    return Number.isNaN(parsed) ? null : parsed;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** 14:02:11 */
export const clock = (ms) => (ms === null ? "" : CLOCK.format(ms));

/** 23 Nov, 14:02, or only the time if it was within the last twelve hours. */
export const when = (ms, now) => (ms === null ? "" : now - ms < 43_200_000 ? clock(ms) : DAY.format(ms));

/** 23 Nov 2026, 14:02:11 */
export const fully = (ms) => (ms === null ? "" : FULL.format(ms));

/** "just now", "3 min ago". */
export const ago = (ms, now) =>
    now - ms < 5000
        ? "just now"
        : `${duration((now - ms) / 1000)
              .split(" ")
              .slice(0, 2)
              .join(" ")} ago`;

/** Words for a reason's identifier: http_404 → "http 404". */
export const reason = (word) => shortened(String(word ?? "").replaceAll("_", " "), 60);
