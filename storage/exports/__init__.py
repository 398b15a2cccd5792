"""What is recorded → files that people and programs take away."""
