"""robots.txt (RFC 9309): fetching it, its rules, and what the workers share about it."""
