"""The one module that imports httpx: without its command line, which would bring rich and pygments."""

from contract.lean import without

with without("httpx._main"):
    import httpx
    import httpx_aiohttp

__all__ = ["httpx", "httpx_aiohttp"]
