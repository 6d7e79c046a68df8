"""Run stand-ins in the foreground: ``python -m tests.standins hosts --port 8090``."""

from __future__ import annotations

import argparse
import sys
import threading

from tests.standins.hosts import HostServer


def main() -> int:
    """Serve until interrupted; print where, and the settings that point the application there."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins")
    parser.add_argument("kind", choices=["hosts"])
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--delay-ms", type=float, default=0, help="every answer comes so much later")
    arguments = parser.parse_args()
    with HostServer(port=arguments.port) as server:
        server.delay_seconds = arguments.delay_ms / 1000
        lines = [f"base {server.base_url}"]
        lines += [f"control {server.base_url}/control/{service.name}" for service in server.services]
        lines += [f"{name}={value}" for name, value in {**server.environment, **server.s3.environment}.items()]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
