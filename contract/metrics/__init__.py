"""Metrics of a stage process: what it counts, where the numbers lie, and how Prometheus reads them.

Off unless `metrics_port` is set, and then nothing here is done, nor any library imported. `families` is the one place
that says what there is; `numbers` holds the cells, in memory that a process shares with its forked children; `watcher`
counts what passes through a stage's consumer; `server` answers /metrics and /healthz.

The numbers of the whole cluster (lag, pending, dead letters, crawls) are not here: `penstock serve` reads them from
Redis and SQL, once for all.
"""

from contract.metrics.numbers import add, beat, observe, put, rest

__all__ = ["add", "beat", "observe", "put", "rest"]
