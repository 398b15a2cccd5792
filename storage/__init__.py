"""Storage: remembers every event, and answers questions.

record        the stage: every event → event store, read models, archive
event_store   the append-only record of all events; everything else here can be made from it and the archive
archive       bodies, as WARC segments
projections/  event store → read models, one file each
queries       read models → answers; export writes them to files
"""
