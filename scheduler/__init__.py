"""Decides what is fetched next.

    seed       crawl.start → the frontier      discover   page.parsed → the frontier
    dispatch   the frontier → page.fetch       settle     outcomes → the frontier
    restore    what is recorded → the frontier, where Redis has lost it

Stages are stateless: everything lives in the frontier, in Redis, and is changed only by the scripts of
`scheduler.frontier`, so any number of schedulers may run at once and any of them may be killed.
"""
