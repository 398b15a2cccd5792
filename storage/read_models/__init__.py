"""Projections of the events, and the questions asked of them."""
