"""A crawl's archive → parser processes → event store and read models: `stream` joins what the others do.

- `choosing` reads the archive, and says which pages are to be parsed;
- `recording` writes what they said, straight into SQL: on their stream, the frontier would count pages twice;
- `tally` counts what became of each.
"""
