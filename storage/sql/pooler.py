"""What stands between us and PostgreSQL: nothing, or a pooler, and whether a session is ours for as long as we have it.

Takes a new connection of psycopg and a way to make another one; leaves nothing on either. Through a pooler that shares
out single transactions, settings and tables that belong to a session would go to whoever has that connection next.
"""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable
from typing import Any

from contract.errors import Refused

#: Somebody else may take a connection between our two transactions, and give it back.
_TRIES = 3
#: Who waits for longer waits for a connection of its own, because ours is not given to it.
_WAIT_SECONDS = 2.0
_ASK = b"SELECT pg_backend_pid()"


def is_pooled(connection: Any) -> bool:
    """Whether a pooler answers: the server's process is another one than what connecting has told."""
    return _server(connection) != int(connection.info.backend_pid)


def check_session(connection: Any, connect: Callable[[], Any]) -> None:
    """Raise `Refused` where two transactions of this connection may be those of two sessions."""
    for _ in range(_TRIES):
        mine = _server(connection)
        with contextlib.closing(connect()) as other:
            theirs = _begun(other)
            # While the other one is in its transaction we are outside of ours.
            if theirs == mine or (theirs and _server(connection) != mine):
                raise Refused(
                    "the pooler before PostgreSQL shares out single transactions, which mixes up sessions; "
                    "set pool_mode = session for this database, or give the address of PostgreSQL itself"
                )


def _server(connection: Any) -> int:
    """The server's process that works for this connection, in a transaction of its own."""
    with connection.transaction():
        return int(connection.execute(_ASK, prepare=False).fetchone()[0])


def _begun(connection: Any) -> int:
    """The same, the transaction left open; 0 where no server is free for it."""
    connection.pgconn.send_query(b"BEGIN; " + _ASK)
    if not select.select([connection.pgconn.socket], [], [], _WAIT_SECONDS)[0]:
        return 0
    answer, found = connection.pgconn.get_result(), 0
    while answer:
        if answer.ntuples:
            found = int(answer.get_value(0, 0))
        answer = connection.pgconn.get_result()
    return found
