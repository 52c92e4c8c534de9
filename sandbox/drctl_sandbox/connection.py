"""The client's connection, which a fault can cut instead of letting an answer through.

Cutting it reaches into hypercorn, whose version is pinned beside ministack's.
"""

import contextvars

_current: contextvars.ContextVar = contextvars.ContextVar("drctl_connection")


class Connection:
    """Passes an answer on until it is dropped."""

    def __init__(self, send):
        self._send = send
        self._dropped = False

    async def send(self, message):
        if not self._dropped:
            await self._send(message)

    def drop(self):
        """Cuts the TCP connection: from hypercorn's stream through its protocol and server to the socket."""
        self._dropped = True
        stream = self._send.__self__
        stream.closed = True
        stream.send.__self__.send.__self__.writer.transport.abort()


def enter(send):
    """Makes the connection behind `send` the one of the current request."""
    connection = Connection(send)
    _current.set(connection)
    return connection


def drop():
    """Cuts the connection of the current request; the answer returned here goes nowhere."""
    _current.get().drop()
    return 500, {}, b""
