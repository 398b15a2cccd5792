"""The event store: events in, events out; and what they tell of one URL."""
