"""Bodies as they came: segments that are written, read, mended, swept, and given out as WARC."""
