"""``shares``: list the share links of all accounts, close one, check that all of them still show their pictures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, json_option, progress, running_services
from ChatBot.models import Share, now


@click.group()
def shares() -> None:
    """Look after the share links."""


@shares.command(name="list")
@click.option("--all", "closed", is_flag=True, help="Revoked and expired ones as well.")
@json_option
def list_shares(closed: bool, as_json: bool) -> int:
    """List the open share links of all accounts, newest first. Their tokens are not stored, so they are not shown."""
    with running_services("shares list") as services:
        found = services.upkeep.share_doctor.listed(closed=closed)
        names = {share.owner_id: services.repositories.users.get(share.owner_id) for share in found}
    rows = [_shown(share, owner.username if (owner := names[share.owner_id]) else None) for share in found]
    lines = [
        f"{row['id']}  {row['state']:<8} {row['owner'] or '-':<16} {row['views']:>5} views  "
        f"conversation {row['conversation_id']}  expires {row['expires_at'] or 'never'}"
        for row in rows
    ]
    answer(as_json, {"items": rows}, lines or ["There is no open share."])
    return 0


@shares.command()
@click.argument("share_id", metavar="ID")
@json_option
def revoke(share_id: str, as_json: bool) -> int:
    """Close a share link at once, whoever made it."""
    with running_services("shares revoke") as services:
        services.upkeep.share_doctor.revoke(share_id)
    answer(as_json, {"id": share_id, "state": "revoked"}, [f"The share {share_id} is closed."])
    return 0


@shares.command()
@json_option
def doctor(as_json: bool) -> int:
    """Check that every share still shows its pictures.

    It is opened as a viewer would; what could not be shown is listed.
    """
    with running_services("shares doctor") as services, progress("Checking pictures", None) as step:
        report = services.upkeep.share_doctor.examine(on_step=step)
    lines = [
        f"{report.shares} open shares show {report.pictures} pictures.",
        *(f"  {share_id}: cannot be opened; {reason}" for share_id, reason in report.broken.items()),
        *(
            f"  {share_id}: {image_id} cannot be shown; {reason}"
            for share_id, images in report.unservable.items()
            for image_id, reason in images.items()
        ),
    ]
    failed = bool(report.broken or report.unservable)
    answer(as_json, {"ok": not failed, **asdict(report)}, lines)
    return EXIT_FAILED_ITEMS if failed else 0


def _shown(share: Share, owner: str | None) -> dict[str, Any]:
    return {
        "id": share.id,
        "state": share.state(now()),
        "owner": owner,
        "conversation_id": share.conversation_id,
        "live": share.live,
        "password": share.password_hash is not None,
        "views": share.views,
        "created_at": share.created_at,
        "expires_at": share.expires_at,
    }
