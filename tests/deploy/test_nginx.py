"""The example nginx configuration is one that Debian's nginx accepts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from ChatBot.config import PROJECT_ROOT
from tests.fixtures.nginx import new_ports, proxy_site, running_nginx
from tests.standins.server import Reply, Request, Server, Service

CERTIFICATE_FOLDER = "/etc/letsencrypt/live/chat.example.org"


def program(name: str) -> str:
    # Debian keeps nginx where only root's PATH looks.
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or name


def make_certificate(folder: Path) -> None:
    subprocess.run(
        [
            program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "1", "-subj", "/CN=chat.example.org",
            "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip


def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    site = (PROJECT_ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    (tmp_path / "site.conf").write_text(site.replace(CERTIFICATE_FOLDER, str(tmp_path)))
    main = tmp_path / "nginx.conf"
    main.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ access_log off; include {tmp_path}/site.conf; }}\n")

    checked = subprocess.run(
        [program("nginx"), "-t", "-q", "-e", str(tmp_path / "error.log"), "-c", str(main)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


class Upstream(Service):
    """Answers everything, in place of the application."""

    name = "upstream"

    def handle(self, request: Request) -> Reply:
        return Reply(body=request.path.encode())


@pytest.mark.parametrize("spelt", ["X-Forwarded-{}", "X_Forwarded_{}", "x-forwarded_{}"])
def test_what_a_client_claims_about_itself_does_not_pass(tmp_path: Path, spelt: str) -> None:
    claims = {spelt.format(name): "6.6.6.6" for name in ("For", "Proto", "Host")}
    (port,) = new_ports(1)

    with Server(Upstream()) as upstream:
        site = proxy_site(int(upstream.netloc.rpartition(":")[2]), tmp_path, port)
        with running_nginx(program("nginx"), tmp_path / "nginx", [site], [port]):
            claiming(port, claims)
        arrived = upstream.requests[-1].headers

    assert (arrived["x-forwarded-for"], arrived["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert "6.6.6.6" not in arrived.values()


def claiming(port: int, claims: dict[str, str]) -> None:
    """Ask for something over a raw line, for libraries mend header names."""
    lines = ["GET / HTTP/1.1", "Host: chat.example.org", "Connection: close", *(f"{k}: {v}" for k, v in claims.items())]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        while line.recv(65_536):
            pass
