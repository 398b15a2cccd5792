"""What we ask of PostgreSQL: how a connection is made, how long it may wait, and when it is of no use any more.

Takes an address, gives an engine whose connections have limits of their own, whatever the server's are. What the
address says of the connection itself (`?connect_timeout=3`) goes before what stands here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from contract.errors import Refused
from storage.sql import arrays, pooler

#: A server that does not answer for so long is away; a recorder tries again, a person is told.
CONNECT_SECONDS = 10
#: A peer that is gone without a word (power, network) is noticed after about 25 s of silence, whoever waits for it. A
#: recorder's leases are renewed meanwhile.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
#: … and after so long if it was sent something.
_UNACKNOWLEDGED_MS = 25_000

#: A statement of a reader. The first rows of an export of 10^8 events come within seconds; what takes longer than this
#: hangs, and keeps one of few connections.
READ_SECONDS = 300
#: A reader between two rows, such as an export into a pager. Longer, and dead rows pile up that nobody may clean away.
READER_IDLE_SECONDS = 3_600
#: A statement of a writer; a batch takes a tenth of a second, and is tried again after this.
WRITE_SECONDS = 60
#: A writer between two statements, where it writes to the archive at most. Longer, and it is frozen: the server throws
#: it out, and the writers behind it go on.
WRITER_IDLE_SECONDS = 30
#: The writers' lock; any number will do, as long as all use the same.
_WRITERS = 7_204_531_887

#: A transaction of a writer begins with this. What Redis is told to forget must be on the disk: a server that is set
#: to commit without waiting for that (synchronous_commit=off) is overruled, any stricter setting holds.
_BEGIN = (
    "SELECT set_config('lock_timeout', '{lock}s', true), set_config('statement_timeout', '{statement}s', true), "
    "set_config('idle_in_transaction_session_timeout', '{idle}s', true), "
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END, "
    f"pg_advisory_xact_lock({_WRITERS})"
)
_CONNECTED = (
    f"SELECT set_config('statement_timeout', '{READ_SECONDS}s', false), "
    f"set_config('idle_in_transaction_session_timeout', '{READER_IDLE_SECONDS}s', false)"
)
#: Errors that a new connection may not have: the server has become a read-only one, which another one has taken over
#: from; the tables have changed under a prepared statement.
_OF_NO_USE = ("25006", "0A000")


def make_engine(url: URL, *, name: str) -> Engine:
    """An engine, nothing opened yet; the server's operator sees its connections under this name."""
    options = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": _UNACKNOWLEDGED_MS, "application_name": name}
    missing = {word: value for word, value in (_KEEPALIVE | options).items() if word not in url.query}
    # At a stricter level, whoever waited for the writers' lock would see what was there before it waited.
    engine = create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=missing)
    event.listen(engine, "connect", _want_utf8, insert=True)  # SQLAlchemy's own questions fail in SQL_ASCII
    arguments, named = engine.dialect.create_connect_args(url)
    another = partial(engine.dialect.connect, *arguments, **{**named, **missing})
    event.listen(engine, "connect", partial(_on_connect, another=another))
    event.listen(engine, "handle_error", _on_error)
    return engine


def begin_writing(connection: Connection, *, lock_seconds: int, long: bool) -> None:
    """Wait for the writers' lock, and keep it until the end of the transaction; `long` ones have no other limit."""
    statement, idle = (0, 0) if long else (WRITE_SECONDS, WRITER_IDLE_SECONDS)
    connection.exec_driver_sql(_BEGIN.format(lock=lock_seconds, statement=statement, idle=idle))


def sqlstate(error: BaseException | None) -> str:
    """What PostgreSQL calls an error; empty where it does not say."""
    return getattr(error, "sqlstate", None) or ""


def _want_utf8(connection: Any, _record: Any) -> None:
    """Any other encoding cannot hold every page's text."""
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        raise Refused(f"the database {connection.info.dbname} is in {encoding}; make it anew with ENCODING 'UTF8'")


def _on_connect(connection: Any, _record: Any, *, another: Callable[[], Any]) -> None:
    if pooler.is_pooled(connection):
        pooler.check_session(connection, another)
        connection.prepare_threshold = None  # not every pooler knows prepared statements
    arrays.register(connection.adapters)
    connection.execute(_CONNECTED)
    connection.commit()


def _on_error(context: ExceptionContext) -> None:
    if sqlstate(context.original_exception) in _OF_NO_USE:
        context.is_disconnect = True
