"""What `penstock doctor` looks at. Each check is a small function from facts to findings.

finding     what a check says: ok, warn or bad, and how to mend it
machine     this process: versions, settings, open files
server      the Redis server: version, policy, persistence, memory, clock, rights, TLS
stages      who is at work, what waits, what was given up
database    the database: revision, size, clock
archive     the archive's folder: writable, room on the disk, segments as long as they should be
asking      asks them for their facts, and changes nothing
examine     all of it, one after the other
"""
