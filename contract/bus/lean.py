"""redis-py without the metrics that it can tell OpenTelemetry; imported before anything else of redis-py.

Where OpenTelemetry's SDK is installed, redis-py imports all of its metrics, for the case that somebody will switch on
those that it has itself. Nobody here does, and it is a third of the start of every process.
"""

from contract.lean import without

with without("opentelemetry.metrics", "opentelemetry.sdk.metrics"):
    import redis.asyncio  # noqa: F401
