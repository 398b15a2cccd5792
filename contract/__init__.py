"""The contract: what travels, on which stream, from which stage to which, and the bus that carries it.

Every service imports this package and no other of ours; it imports none of them.
Read `topology` first: the whole system is on that one screen.
"""
