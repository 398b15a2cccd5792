"""What is watched over HTTP: each thing is followed once, however many watch it.

sharing   the hub: who follows what, for whom, for how long, and how often watchers are told
latest    a value that many wait for; no queues
crawl     the progress of one crawl
ended     how a crawl ended, as SQL has it
feed      its latest pages and its hosts
ring      the latest outcomes, and where each watcher is among them
pace      how fast each host has been asked, of late
hosts     hosts as the API shows them
crawls    the list of crawls
streams   what one watcher is sent
messages  server-sent events as bytes
"""

from penstock.api.hub.sharing import Hub

__all__ = ["Hub"]
