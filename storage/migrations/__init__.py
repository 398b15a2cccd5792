"""Alembic's scripts: how the tables came from one revision to the next, in `versions/`.

Another revision is a file there, its number at the end of `storage.sql.schema.REVISIONS`, and the same change in
`storage.sql.tables`; a test says whether the three agree. A read model that is only added needs no revision: its table
is made where it is missing, and `penstock rebuild` fills it.
"""
