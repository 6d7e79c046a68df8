"""A picture host on loopback that thinks for a while before it answers: ``python -m bench.latency_host FOLDER MS``.

It keeps connections open as a content network does, prints its port, and runs until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

REQUEST = re.compile(rb"GET /([0-9a-f]{32}\.png)(?:\?\S*)? HTTP/1\.1\r\n")


async def serve(folder: Path, seconds: float) -> None:
    """Answer GETs of the files in ``folder``, each ``seconds`` after it came."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                match = REQUEST.match(head)
                data = files.get(match[1].decode()) if match else None
                await asyncio.sleep(seconds)
                status, body = (b"200 OK", data) if data is not None else (b"404 Not Found", b"")
                kind = b"Content-Type: image/png\r\n"
                writer.write(b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n" % (status, kind, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2]) / 1000))
