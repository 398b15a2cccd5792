"""The numbers of batches: by them is known whether SQL still has what Redis was told is recorded.

Takes a writer's transaction, gives the `Mark` of the batch in it; owns `recorders`. Batches are numbered over all
recorders, one after the other, for there is one writer at a time. A database goes back in time where commits are lost
that it had answered, by a power cut or a failover, or where an older copy takes its place. Then it lacks the batch that
Redis has a mark of, and will lack it for ever: who notices goes on under another word.
"""

import secrets

from sqlalchemy import Connection, Engine, func, insert, select, update

from contract.bus.recorded import Mark
from storage.sql.tables import recorders


def has(connection: Connection, mark: Mark) -> bool:
    """Whether SQL has this batch."""
    last = connection.execute(select(recorders.c.batch).where(recorders.c.word == mark.recorder)).scalar_one_or_none()
    return last is not None and last >= mark.batch


def has_lost(engine: Engine, mark: Mark | None) -> bool:
    """Whether SQL lacks the batch that Redis has a mark of."""
    if mark is None:
        return False
    with engine.connect() as connection:
        return not has(connection, mark)


def latest(engine: Engine) -> Mark | None:
    """The last batch that SQL has."""
    query = select(recorders.c.batch, recorders.c.word).order_by(recorders.c.batch.desc()).limit(1)
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return Mark(*row) if row else None


class Line:
    """One recorder's line in the table, under a word that no other one has, nor ever had."""

    def __init__(self) -> None:
        self.word = secrets.token_hex(8)

    def enter(self, connection: Connection, told: Mark | None) -> Mark:
        """Number the batch of this transaction; the mark that Redis shall have once it is acknowledged.

        `told` is the one that Redis had a moment ago. Where SQL lacks that batch it stays, so that all will notice.
        """
        has_lost = told is not None and not has(connection, told)
        if told and has_lost and told.recorder == self.word:
            self.word = secrets.token_hex(8)
        last = connection.execute(select(func.max(recorders.c.batch))).scalar_one()
        mark = Mark((last or 0) + 1, self.word)
        mine = update(recorders).where(recorders.c.word == self.word).values(batch=mark.batch)
        if connection.execute(mine).rowcount == 0:
            connection.execute(insert(recorders).values(word=self.word, batch=mark.batch))
        return told if told and has_lost else mark
