"""The last-copy rule: whatever the states are, a clean-up leaves an intact exact copy of every picture."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from ChatBot.db.repositories import Repositories
from ChatBot.models import Copy, Image, User, now
from tests.services.kept import KeptWorkshop, kept_workshop
from tests.services.workshop import TRAITS, ScriptedHost, picture, re_encoded

STATES = ("pending", "uploaded", "verified", "retry", "refused", "suspect", "gone")
BEHIND = ("exact", "other", "re-encoded", "nothing")
# What leads to an eviction comes often, or most examples would show nothing.
copies = st.tuples(
    st.sampled_from(("verified",) * 6 + STATES),
    st.sampled_from(("exact", "exact", "exact", "transcoded", None)),
    st.sampled_from(BEHIND),
)
pictures = st.tuples(
    st.sampled_from(["intact", "intact", "damaged", "missing"]),
    st.sampled_from(["present", "present", "evicted"]),
    copies,
    copies,
)


@pytest.fixture
def hosts() -> tuple[ScriptedHost, ScriptedHost]:
    untrusted = TRAITS.__class__(**{**vars(TRAITS), "trusted": False})
    return ScriptedHost("first"), ScriptedHost("second", traits=untrusted)


@pytest.fixture
def shop(
    emptied_database: Database[dict[str, Any]],
    repositories: Repositories,
    tmp_path: Path,
    hosts: tuple[ScriptedHost, ScriptedHost],
) -> Iterator[KeptWorkshop]:
    with kept_workshop(emptied_database, repositories, tmp_path, *hosts) as opened:
        yield opened


def arranged(shop: KeptWorkshop, user: User, seed: int, drawn: Any) -> Image:
    """Keep an old picture whose file and copies are as drawn; the records may lie."""
    file, local, *made = drawn
    image, data = shop.old_picture(user, seed), picture(seed)
    data = shop.files.read(image.folder, image.filename)
    records = []
    for host, (state, fidelity, behind) in zip(shop.hosts, made, strict=True):
        assert isinstance(host, ScriptedHost)
        url = f"https://{host.name}.invalid/{image.id}"
        given_back = {"exact": data, "other": b"other", "re-encoded": re_encoded(data)}.get(behind)
        if given_back is not None:
            host.pictures[url] = given_back
        records.append(Copy(host=host.name, state=state, fidelity=fidelity, url=url, verified_at=now()))
    if file == "missing":
        shop.path(image).unlink()
    elif file == "damaged":
        shop.path(image).write_bytes(data[:-1])
    shop.change(image, {"images.$.local": local, "images.$.copies": [copy.to_document() for copy in records]})
    return shop.image(image.id)


def intact(shop: KeptWorkshop, image: Image) -> bool:
    """Say whether the exact bytes are on this disk or behind any URL of the picture."""
    path = shop.path(image)
    if path.is_file() and sha256(path.read_bytes()).hexdigest() == image.sha256:
        return True
    found = (host.pictures.get(copy.url or "") for host in shop.hosts for copy in image.copies)  # type: ignore[attr-defined]
    return any(data is not None and sha256(data).hexdigest() == image.sha256 for data in found)


@settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=st.lists(pictures, min_size=3, max_size=6), grace=st.sampled_from([0, 24]))
def test_every_picture_that_had_intact_bytes_still_has_them(
    shop: KeptWorkshop, ann: User, drawn: list[Any], grace: float
) -> None:
    images = [arranged(shop, ann, seed, one) for seed, one in enumerate(drawn, 1)]
    before = {image.id for image in images if intact(shop, image)}

    shop.upkeep.cleanup.run(apply=True, force=True, grace_hours=grace)
    shop.upkeep.holding.empty_expired()

    after = {image.id for image in images if intact(shop, shop.image(image.id))}
    assert before <= after
