"""The simulated web: a deterministic graph of pages over many loopback hosts, and a log of every request.

Demo, tests, faults and benchmarks crawl it. What it holds is a function of its options, so the truth about a
crawl can be worked out without one request (`expected`), and how politely it was crawled can be read from its
log (`judge`).
"""

from penstock.site.errors import BadSiteOption, CannotListen, SiteError
from penstock.site.graph import Web
from penstock.site.judge import HostReport, judge
from penstock.site.options import SiteOptions
from penstock.site.requests_log import RequestLog, RequestRecord, read_log
from penstock.site.running import RunningSite, running_site, serve_forever
from penstock.site.truth import PageTruth, expected

__all__ = [
    "BadSiteOption",
    "CannotListen",
    "HostReport",
    "PageTruth",
    "RequestLog",
    "RequestRecord",
    "RunningSite",
    "SiteError",
    "SiteOptions",
    "Web",
    "expected",
    "judge",
    "read_log",
    "running_site",
    "serve_forever",
]
