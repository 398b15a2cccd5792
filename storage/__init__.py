"""Storage: remembers every event, and answers questions.

record        the stage: every event → event store, read models, archive
event_store   the append-only record of all events; everything else here can be made from it and the archive
archive       bodies, as WARC segments; archive_reader gets them out again
projections/  event store → read models, one file each; rebuild makes them anew
schema        the state of the tables, and the way from older ones (migrations/)
queries       read models → answers; export writes them to files
history       the life of one URL; hearsay is what can be said of one that has none
"""
