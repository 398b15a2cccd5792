// Requests to the server that gave us this page. Each gives JSON, or raises `Problem` (it said no) or `Lost` (it said
// nothing). Owns the guess how far this machine's clock is from the server's.

/** The server answered with problem details (RFC 9457): what is wrong, and the field at fault, if any. */
export class Problem extends Error {
    constructor(status, details) {
        super(details.detail || details.title || `The server answered ${status}.`);
        this.status = status;
        this.field = typeof details.field === "string" ? details.field : null;
        this.details = details;
    }
}

/** The server could not be reached, or gave no whole answer in time. */
export class Lost extends Error {}

/** No answer may take longer than this; a read of a large crawl takes well under a second. */
const LONGEST_MS = 15_000;
/** The server's Date header is whole seconds: less than this is no difference. */
const CLOCK_SLACK_MS = 2_000;

let skewMs = 0;

/** Now, in Unix milliseconds, by the server's clock. */
export const now = () => Date.now() + skewMs;

/** The address of a resource, relative to this page, so that it works below a path of a proxy too. */
export function address(path, query = {}) {
    const url = new URL(path.replace(/^\//, ""), document.baseURI.split("#")[0]);
    for (const [name, value] of Object.entries(query))
        if (value !== null && value !== "") url.searchParams.set(name, value);
    return url.href;
}

export const get = (path, query) => request("GET", address(path, query));
export const post = (path, body = {}, headers = {}) => request("POST", address(path), body, headers);
export const drop = (path) => request("DELETE", address(path));

/** Whether the server is there; never raises. */
export async function isThere() {
    try {
        return (await fetch(address("healthz"), { cache: "no-store", signal: AbortSignal.timeout(5000) })).ok;
    } catch {
        return false;
    }
}

async function request(method, url, body, headers = {}) {
    const options = { method, headers: { accept: "application/json", ...headers }, cache: "no-store" };
    if (body !== undefined) {
        options.body = JSON.stringify(body);
        options.headers["content-type"] = "application/json";
    }
    let response, text;
    try {
        response = await fetch(url, { ...options, signal: AbortSignal.timeout(LONGEST_MS) });
        text = await response.text();
    } catch (error) {
        throw new Lost("The server does not answer.", { cause: error });
    }
    noteClock(response.headers.get("date"));
    const said = parsed(text);
    if (!response.ok) throw new Problem(response.status, said ?? {});
    return said;
}

function noteClock(date) {
    const theirs = Date.parse(date ?? "");
    if (Number.isNaN(theirs)) return;
    const differs = theirs + 500 - Date.now();
    skewMs = Math.abs(differs) > CLOCK_SLACK_MS ? differs : 0;
}

function parsed(text) {
    try {
        return text ? JSON.parse(text) : null;
    } catch {
        return null;
    }
}
