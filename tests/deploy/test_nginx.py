"""The example nginx configuration is one that Debian's nginx accepts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ChatBot.config import PROJECT_ROOT

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
