"""The front door: the command line, the live view, the one-machine cluster, and the simulated web.

It publishes commands and reads read models, and does nothing else to a crawl.
"""

__version__ = "0.1.0"
