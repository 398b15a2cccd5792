"""What can go wrong with the simulated web before it serves its first page."""


class SiteError(Exception):
    """The simulated web cannot be served."""


class BadSiteOption(SiteError, ValueError):
    """Raised when an option of the simulated web is out of its range; the message names it and the range."""


class CannotListen(SiteError, OSError):
    """Raised when the port is taken or an address is not there; the message names both."""
