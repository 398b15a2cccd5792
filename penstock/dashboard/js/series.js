// What the charts draw: the recorded timeline, and what the stream says, second by second. Pure but for what it keeps;
// times are Unix seconds. Never holds more than the timeline's points and LIVE_POINTS.
//
// Rates are as recorded, and behind the record's end as the stream says. Of latency the record has the mean, for all of
// the time; the stream has median and 95th percentile, since the page is open: only the recent view shows them.
// In a column `null` is a gap, `undefined` a point that belongs to other lines alone.

/** The recent view shows this much, and as many live points are kept. */
export const RECENT_SECONDS = 300;
const LIVE_POINTS = RECENT_SECONDS;
/** Recorded points may stand in the recent view if they are no coarser than this: a crawl of three hours has them. */
const FINE_SECONDS = 20;
/** A longer silence of the stream is a hole in its lines. */
const HOLE_SECONDS = 10;

/** Columns: times, fetched a second, failed a second, mean, median and 95th percentile of latency in ms. */
const blank = () => [[], [], [], [], [], []];

export class Series {
    bucket = 1;
    #recorded = [];
    #end = 0;
    #live = [];
    #mean = null;
    #last = null;

    /** Take a timeline; of a bucket under way only the mean is of use. */
    setTimeline({ bucket_seconds: bucket, points }, now) {
        this.bucket = Math.max(1, bucket);
        this.#recorded = points.filter(([at]) => at + this.bucket <= now - 1);
        this.#mean = points.findLast(([, , , mean]) => mean !== null)?.[3] ?? null;
        this.#end = this.#recorded.length ? this.#recorded.at(-1)[0] + this.bucket : 0;
    }

    /** Take a state of the stream; makes a point for each second that passed. */
    note(state, now) {
        const last = this.#last;
        if (last && now - last.at < 1) return;
        this.#last = { at: now, failed: state.failed };
        if (!last || state.failed < last.failed) return;
        if (now - last.at > HOLE_SECONDS) this.#live.push([last.at + 1, null, null, undefined, null, null]);
        const { p50 = null, p95 = null } = state.latency_ms ?? {};
        this.#live.push([
            now,
            state.pages_per_second,
            (state.failed - last.failed) / (now - last.at),
            undefined,
            p50,
            p95,
        ]);
        while (this.#live.length > LIVE_POINTS) this.#live.shift();
    }

    /** URLs ended a second over the last seconds, null if nothing is known. */
    recently(now, seconds = 10) {
        const points = this.#live.filter((point) => point[0] > now - seconds && point[1] !== null);
        return points.length ? points.reduce((sum, point) => sum + point[1] + point[2], 0) / points.length : null;
    }

    /** The columns of a view: "recent" or "whole". */
    columns(view, now) {
        const since = view === "recent" ? now - RECENT_SECONDS : -Infinity;
        const recorded = view === "whole" || this.bucket <= FINE_SECONDS ? this.#recordedPoints(since) : [];
        const end = recorded.length ? this.#end : 0;
        const live =
            view === "recent"
                ? this.#live.filter(([at]) => at >= since).map((point) => behind(point, end))
                : this.#ratesBehind(end);
        const columns = blank();
        const points = [...recorded, ...this.#upToNow(live, recorded)].sort((a, b) => a[0] - b[0]);
        for (const point of points) push(columns, point);
        return columns;
    }

    /** Beside recorded points: as they are, or as one beside coarse ones. */
    #ratesBehind(end) {
        const rates = this.#live
            .filter(([at]) => at > end)
            .map((point) => [...point.slice(0, 4), undefined, undefined]);
        return this.bucket <= FINE_SECONDS ? rates : averaged(rates);
    }

    /** The mean goes on as it was last, while there are answers, until the record says what it is. */
    #upToNow(live, recorded) {
        const [last, newest] = [live.at(-1), this.#live.at(-1)];
        if (!recorded.length || !last || last[0] <= this.#end || newest[4] === null) return live;
        return [...live.slice(0, -1), last.with(3, this.#mean)];
    }

    /** In the middle of each bucket. A timeline has none in which nothing happened: the line is at zero there. */
    #recordedPoints(since) {
        const [points, half] = [[], this.bucket / 2];
        let before = null;
        for (const [at, fetched, failed, mean] of this.#recorded) {
            if (at < since) continue;
            if (before !== null && at - before > this.bucket) {
                points.push([before + this.bucket + half, 0, 0, null, undefined, undefined]);
                if (at - before > 2 * this.bucket) points.push([at - half, 0, 0, null, undefined, undefined]);
            }
            points.push([at + half, fetched / this.bucket, failed / this.bucket, mean, undefined, undefined]);
            before = at;
        }
        return points;
    }
}

/** A live point up to the record's end has nothing to say of rates. */
function behind(point, end) {
    return point[0] > end ? point : [point[0], undefined, undefined, ...point.slice(3)];
}

function push(columns, point) {
    if (columns[0].length && point[0] <= columns[0].at(-1)) return;
    columns.forEach((column, at) => column.push(point[at]));
}

/** Fine points as one, beside coarse ones. */
function averaged(points) {
    if (!points.length) return [];
    const mean = (at) => points.reduce((sum, point) => sum + (point[at] ?? 0), 0) / points.length;
    return [[points.at(-1)[0], mean(1), mean(2), undefined, undefined, undefined]];
}

/** Mean, peak and last value of a column, or nulls. */
export function summary(column) {
    const values = column.filter((value) => value !== null && value !== undefined);
    if (!values.length) return { mean: null, peak: null, last: null };
    const [sum, peak] = values.reduce(([sum, most], value) => [sum + value, Math.max(most, value)], [0, 0]);
    return { mean: sum / values.length, peak, last: values.at(-1) };
}
