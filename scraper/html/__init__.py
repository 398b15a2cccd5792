"""Reading a document: its text and encoding, its links, and what the generic extractor takes from it."""
