"""``/admin/audit`` and ``/api/admin/audit``: the audit log for administrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import ValidationError

from ChatBot.db.audit import AuditEntry
from ChatBot.errors import InputError
from ChatBot.sentence import Sentence
from ChatBot.web.context import services
from ChatBot.web.edge.audited import KINDS
from ChatBot.web.reading.paging import decode_cursor, page_json
from ChatBot.web.rendering.present import moment
from ChatBot.web.schemas.admin import AuditRecord
from ChatBot.web.schemas.answers import Items
from ChatBot.web.schemas.requests import AuditQuery

audit = APIBlueprint("audit", __name__, url_prefix="/api/admin/audit", abp_tags=[Tag(name="Administration")])
audit_pages = Blueprint("audit_pages", __name__, url_prefix="/admin/audit")

OUTCOMES = ("ok", "refused", "failed")
SHOWN = 100


@audit.get("", responses={HTTPStatus.OK: Items[AuditRecord]})
def listing(query: AuditQuery) -> dict[str, Any]:
    """List what happened that matters for security, the newest first."""
    return _page(query)


@audit_pages.get("")
def page() -> str:
    """Show the audit log, filtered."""
    wanted = {name: request.args.get(name) or None for name in ("action", "outcome", "account", "cursor")}
    try:
        query = AuditQuery(limit=SHOWN, **wanted)
    except ValidationError as error:
        raise InputError(Sentence("Nothing in the audit log has such a long name; choose from the lists.")) from error
    shown = _page(query)
    return render_template(
        "admin_audit.html",
        entries=shown["items"],
        next_cursor=shown["next_cursor"],
        wanted=wanted,
        kinds=KINDS,
        outcomes=OUTCOMES,
    )


def _page(query: AuditQuery) -> dict[str, Any]:
    log = services().audit
    found = log.page(
        query.limit + 1,
        decode_cursor(query.cursor),
        action=query.action,
        outcome=query.outcome,
        account=query.account,
    )
    names = log.names(found)
    return page_json(found, query.limit, lambda entry: _entry_json(entry, names), lambda entry: (entry.at, entry.id))


def _entry_json(entry: AuditEntry, names: dict[str, str]) -> dict[str, Any]:
    shown = entry.model_dump(exclude={"at"})
    return {**shown, "at": moment(entry.at), "actor": names.get(entry.actor_id or "")}
