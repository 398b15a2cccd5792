"""Projections: events → read models, one file for each model.

Each has `TABLES`, which it alone writes, and `fold(connection, events)`, which works a batch of events into them.
It gives the same tables whatever the order of events and however they are cut into batches; the caller sees to it that
each event comes once. So a model can be dropped and folded again from the event store.

Where two events speak of the same thing, the row keeps the greatest of them by an order that is in the events: a later
attempt beats an earlier one, a later time an earlier time, and the event's key settles the rest.
"""
