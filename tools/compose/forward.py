"""A published port: connections that the host takes are carried into the namespace in which this runs.

    python -m tools.compose.forward DESCRIPTOR ADDRESS PORT

The descriptor is of a socket that listens on the host.
"""

import asyncio
import contextlib
import socket
import sys

_CHUNK = 65_536


async def main(descriptor: int, address: str, port: int) -> None:
    """Carry connections until killed."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(address, port)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        writer.close()

    server = await asyncio.start_server(carry, sock=socket.socket(fileno=descriptor))
    await server.serve_forever()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    sink.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
