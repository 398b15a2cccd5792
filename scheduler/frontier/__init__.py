"""The frontier: the known URLs of all crawls, with their states and due times, in Redis.

A Mercator-style frontier (Heydon and Najork 1999): queues per host, hosts ordered by the time when they may next be
asked. It is changed only by the Lua scripts beside this file, each of which is one atomic step together with the
acknowledgement of the delivery that caused it.

    discovered ─▶ queued ─▶ in flight ─▶ done (fetched, failed, excluded)
                    ▲           │
                    └── retry ◀─┘
"""

from scheduler.frontier.frontier import Frontier
from scheduler.frontier.jobs import Candidate, candidate

__all__ = ["Candidate", "Frontier", "candidate"]
