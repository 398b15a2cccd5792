"""What a person sees of a crawl: one state, shown live on a terminal, as plain lines, or as JSON."""
