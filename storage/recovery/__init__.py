"""What a replay needs: which crawls a Redis lacks, and what is recorded of them."""
