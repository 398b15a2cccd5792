"""What the stage `fetch` works with: one job from beginning to end, its outcome, and what a worker process keeps."""
