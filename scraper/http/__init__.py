"""The one way to the network: the client with its limits, decoders, the address check, and what headers mean."""
