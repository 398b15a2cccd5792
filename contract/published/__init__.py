"""What other programs may rely on: the message classes and the map → an AsyncAPI document and JSON Schemas.

Nothing of it is needed at run time. `python -m contract.published` writes the files that lie in docs/contract.
"""
