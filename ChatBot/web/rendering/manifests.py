"""Manifests: what an archive tells of what is in it, which is what its reader was shown anyway."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ChatBot.models import Share
from ChatBot.services.sharing.bundles import Part
from ChatBot.web.rendering.present import moment, shared_image_json

ADDRESSES = frozenset({"src", "url", "thumbnail_url"})
"""Left out: each holds the token of the link, which whoever gets the archive from its reader was not given."""


def manifest_of(title: str, share: Share, parts: Sequence[Part]) -> bytes:
    """Return the manifest of what a link shows; ``file`` is null for what is left out because it cannot be had."""
    described = [
        {"file": part.name}
        | {name: value for name, value in shared_image_json(part.image, "").items() if name not in ADDRESSES}
        for part in parts
    ]
    manifest = {"title": title, "created_at": moment(share.created_at), "live": share.live, "pictures": described}
    return json.dumps(manifest, ensure_ascii=False, indent=2).encode()
