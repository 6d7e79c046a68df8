"""``hosts``: show the cloud hosts, and try them out. Needs neither the database nor a running server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, json_option
from ChatBot.config import load_settings
from ChatBot.hosts import build_chain
from ChatBot.hosts.base import CloudHost
from ChatBot.hosts.chain import HostChain
from ChatBot.logs import log_to_stderr
from ChatBot.media.decoding import DecoderPool
from ChatBot.outbound import Gate
from ChatBot.services.copies.probing import SIDE_PIXELS, probe

NO_HOST = (
    "No cloud host is active; pictures are kept on this server only. CLOUD_HOSTS and the keys in .env choose them."
)


@click.group()
def hosts() -> None:
    """Look at the places that keep copies of the pictures."""


@hosts.command("list")
@json_option
def list_hosts(as_json: bool) -> int:
    """Show every cloud host and how it is doing.

    Also whether it is active, its place in the order and what is true of it. How it is doing is what this very
    process knows: each process has circuit breakers of its own.
    """
    chain = _chain()
    per_hour = load_settings().cloud_uploads_per_hour
    rows = [{**_row(host, chain), "uploads_per_hour": per_hour.get(host.name)} for host in chain.known]
    answer(as_json, {"hosts": rows}, [_line(row) for row in rows])
    return 0


@hosts.command()
@json_option
def check(as_json: bool) -> int:
    """Try every active host with a tiny picture.

    It is sent, read back, compared and deleted, and then has to be gone.
    """
    active = _chain().hosts
    decoder = DecoderPool(max_pixels=SIDE_PIXELS**2)
    with closing(decoder), ThreadPoolExecutor(max_workers=max(len(active), 1)) as pool:
        probes = list(pool.map(partial(probe, decoder=decoder), active))
    lines = [f"{'ok ' if one.ok else 'BAD'}  {one.host} ({one.seconds:.1f} s): {one.why}" for one in probes]
    answer(as_json, {"hosts": [asdict(one) for one in probes]}, lines or [NO_HOST])
    return 0 if all(one.ok for one in probes) else EXIT_FAILED_ITEMS


def _chain() -> HostChain:
    log_to_stderr()
    settings = load_settings()
    return build_chain(settings, Gate(settings.fetch_allow_private_hosts))


def _row(host: CloudHost, chain: HostChain) -> dict[str, Any]:
    active = host in chain.hosts
    return {
        "name": host.name,
        "active": active,
        "position": chain.hosts.index(host) + 1 if active else None,
        "traits": asdict(host.traits),
        "condition": host.condition.state,
    }


def _line(row: dict[str, Any]) -> str:
    traits = row["traits"]
    facts = [
        f"up to {traits['max_bytes'] / 1e6:,.0f} MB",
        "public" if traits["public"] else "private",
        "may recompress" if traits["may_recompress"] else "keeps the bytes",
        "deletable" if traits["deletable"] else "deleted by hand",
        "counts for clean-up" if traits["trusted"] else "does not count for clean-up",
    ]
    facts += [f"at most {row['uploads_per_hour']} uploads an hour"] if row["uploads_per_hour"] else []
    facts += [] if row["condition"] == "ready" else [row["condition"].replace("_", " ")]
    return f"{row['position'] or '-':>2}  {row['name']:<12} {', '.join(facts)}"
