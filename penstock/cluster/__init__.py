"""The one-machine cluster: a real Redis-compatible server and the same stages as processes that containers run.

    folder      the data folder: one cluster at a time, and where it can be reached
    server      the embedded server: found, started, awaited, stopped
    supervisor  the stages: started, started anew when they die, drained
    cluster     all of it together, for the length of a `with` block

Lifetimes: everything dies with the process that started it (Linux: by the kernel), so a killed `penstock` leaves no
process behind. What was in hand then is in the server's append-only file, and the next start goes on with it.
"""

from penstock.cluster.cluster import Cluster, one_machine, running_in

__all__ = ["Cluster", "one_machine", "running_in"]
