"""Every Redis key and channel there is: its name, type and meaning. No other module spells a key.

All keys of one shard carry one hash tag, so that each script stays in one slot of a Redis Cluster. The Lua scripts get
`Keys.root` and add the same words; `scheduler/frontier/keys.lua` is held against this catalogue by a test.
"""

from contract import topology


class Keys:
    """The names of keys below one root, by default `penstock:{0}:`."""

    def __init__(self, prefix: str = "penstock", shard: int = 0) -> None:
        self.root = f"{prefix}:{{{shard}}}:"

    # -- streams and what belongs to them

    def stream(self, type_name: str) -> str:
        """STREAM of one message type; fields `e` (envelope), and for a body `b` (its key) and `s` (its bytes)."""
        return f"{self.root}{type_name}"

    def again(self, stage: str) -> str:
        """STREAM of messages given once more to one stage alone: fields as above, and `a` (see `Delivery.again`)."""
        return self.stream(topology.again(stage))

    def dead(self, stage: str) -> str:
        """STREAM of a stage's dead letters: `e`, `stream`, `id`, `reason`, `count`, `said`; `a`, `b`, `s` as above."""
        return f"{self.root}dead.{stage}"

    def dead_body(self, stage: str, stream: str, entry_id: str) -> str:
        """STRING: a copy of a dead letter's body; gone when that is dropped, or was given again and is finished."""
        return f"{self.root}dead_body:{stage}:{stream}:{entry_id}"

    def body(self, event_id: str) -> str:
        """STRING: a page and its request as WARC records, a gzip member each; gone when all groups are past it."""
        return f"{self.root}body:{event_id}"

    @property
    def body_bytes(self) -> str:
        """STRING, a number: bytes of all bodies held; back-pressure looks at it."""
        return f"{self.root}body_bytes"

    @property
    def epoch(self) -> str:
        """STRING: a random word, set once in the life of this data; another word means another world."""
        return f"{self.root}epoch"

    @property
    def restored(self) -> str:
        """STRING: the epoch for which the frontier has been rebuilt; while it is another, nothing is issued."""
        return f"{self.root}restored"

    @property
    def recorded(self) -> str:
        """STRING: the latest batch in SQL that was acknowledged (`contract.bus.recorded.Mark`): SQL must have it."""
        return f"{self.root}recorded"

    @property
    def replaying(self) -> str:
        """STRING with a life: who rebuilds the frontier from what is recorded."""
        return f"{self.root}replaying"

    @property
    def clock(self) -> str:
        """HASH: what our own time is by the server's clock, which may be set back or leap (see `bus/clock.lua`)."""
        return f"{self.root}clock"

    def answer(self, command_id: str) -> str:
        """LIST of one: what became of a command, for the one who sent it."""
        return f"{self.root}answer:{command_id}"

    def witness(self, consumer: str) -> str:
        """STRING with a life, a number: of the latest hand-over of a consumer that remembers what it has said."""
        return f"{self.root}witness:{consumer}"

    @property
    def alive(self) -> str:
        """ZSET: `<group> <consumer>` → until when (ms, our own time) it counts as being at work."""
        return f"{self.root}alive"

    @property
    def fetchers(self) -> str:
        """ZSET: consumer and its capacity → until when (ms, our own time) it counts as a live fetcher."""
        return f"{self.root}fetchers"

    @property
    def fetcher_clocks(self) -> str:
        """HASH: consumer and its capacity → ms by which its machine's clock is ahead of the server's."""
        return f"{self.root}fetcher_clocks"

    @property
    def old_requests(self) -> str:
        """ZSET: requests that were begun before Redis was emptied, `<host> <consumer> <number>` → Unix ms of their end.

        The latest that it can be; each goes when it has ended.
        """
        return f"{self.root}old_requests"

    # -- crawls

    @property
    def turns(self) -> str:
        """ZSET: running crawls by the number of the turn in which they were served last."""
        return f"{self.root}turns"

    @property
    def turn(self) -> str:
        """STRING, a number: of the latest turn."""
        return f"{self.root}turn"

    @property
    def names(self) -> str:
        """HASH: crawl name → id of the unfinished (running or paused) crawl of that name."""
        return f"{self.root}names"

    def crawl(self, crawl: str) -> str:
        """HASH: a crawl's state, specification, and counts of URLs (see `scheduler/frontier/keys.lua`)."""
        return f"{self.root}crawl:{crawl}"

    @staticmethod
    def run_field(run: str) -> str:
        """The field of a crawl's hash that counts the parts of one replay that were worked in."""
        return f"run.{run}"

    @staticmethod
    def sent_field(run: str) -> str:
        """The field of a crawl's hash that counts the parts of one replay that were sent."""
        return f"sent.{run}"

    def due(self, crawl: str) -> str:
        """ZSET: hosts with queued URLs of this crawl → when (our own ms) they may be asked; parked ones are absent."""
        return f"{self.root}due:{crawl}"

    def hosts(self, crawl: str) -> str:
        """HASH: host → number of URLs of this crawl admitted for it."""
        return f"{self.root}hosts:{crawl}"

    def queue(self, crawl: str, host: str) -> str:
        """ZSET: queued URL jobs of one host, by depth, then first come first served."""
        return f"{self.root}queue:{crawl}:{host}"

    def retries(self, crawl: str) -> str:
        """ZSET: URL jobs of this crawl to be queued again → when (ms, our own time)."""
        return f"{self.root}retries:{crawl}"

    def waits(self, crawl: str) -> str:
        """ZSET: hosts with queued URLs of this crawl that are waited for as a whole → Unix ms of the next look.

        What they are waited for stands in their hashes; for whoever shows it.
        """
        return f"{self.root}waits:{crawl}"

    def places(self, crawl: str) -> str:
        """SET: the hosts or domains that the crawl's seeds have brought into its scope."""
        return f"{self.root}places:{crawl}"

    def unread(self, crawl: str) -> str:
        """SET: fingerprints of pages that were fetched in another epoch, and are still to be given to the parsers."""
        return f"{self.root}unread:{crawl}"

    def seen(self, crawl: str) -> str:
        """HASH: generation → number of fingerprints in it. `<crawl>.left` names the set of URLs that were left out."""
        return f"{self.root}seen:{crawl}"

    def seen_bucket(self, crawl: str, generation: int, bucket: int) -> str:
        """SET of 64-bit fingerprints, kept small enough for Redis' intset encoding."""
        return f"{self.root}seen:{crawl}:{generation}:{bucket}"

    def bodies(self, crawl: str, host: str) -> str:
        """HASH: the beginning of a body's digest → pages of this host that had it; the most frequent of them."""
        return f"{self.root}bodies:{crawl}:{host}"

    # -- hosts

    def host(self, host: str) -> str:
        """HASH: politeness of a host over all crawls (see `scheduler/frontier/keys.lua`)."""
        return f"{self.root}host:{host}"

    def host_crawls(self, host: str) -> str:
        """SET: crawls with URLs queued for this host."""
        return f"{self.root}host_crawls:{host}"

    @property
    def resting(self) -> str:
        """ZSET: hosts that nobody wants for now → when (ms, our own time) they may be forgotten."""
        return f"{self.root}resting"

    def robots(self, host: str) -> str:
        """STRING: what the host's robots.txt came to, as `contract.robots.RobotsRecord` in JSON."""
        return f"{self.root}robots:{host}"

    # -- the frontier as a whole

    @property
    def forgetting(self) -> str:
        """SET: ended crawls whose memory is still to be freed."""
        return f"{self.root}forgetting"

    @property
    def in_flight(self) -> str:
        """STRING, a number: jobs issued and not yet settled."""
        return f"{self.root}in_flight"

    # -- watching

    def progress(self, crawl: str) -> str:
        """HASH: part → JSON, the latest of each publisher; also the name of the channel that repeats them."""
        return f"{self.root}progress:{crawl}"

    @property
    def news(self) -> str:
        """CHANNEL: the id of a crawl that has just begun, or that somebody has steered; a hint, never the truth."""
        return f"{self.root}news"

    def asked(self, word: str) -> str:
        """STRING with a life: the crawl that a request with this idempotency key (its digest) made, and its digest."""
        return f"{self.root}asked:{word}"

    @property
    def tickets_prefix(self) -> str:
        """What Celery puts before its own keys."""
        return f"{self.root}celery:"
