"""What the stage `parse` works with: the parser processes, what travels to and from them, and the memory of links."""
