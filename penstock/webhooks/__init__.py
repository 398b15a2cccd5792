"""Webhooks: what the stage `penstock.notify` works with.

    targets     which URLs may be webhooks, and what of them may be shown
    crawls      what is known of a crawl: where its events go, and whether all of it is in SQL
    signature   the headers by which a receiver knows the sender (Standard Webhooks)
    answers     what a receiver's answer means, and when the next attempt is
    sender      the posts of one process: how many at once, in all and to one receiver

Targets, signature and answers are pure; crawls and sender belong to the stage, which closes them.
"""
