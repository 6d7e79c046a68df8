"""Generated inputs: the same in every run, so that a change passes or fails by itself, or others in each if wanted."""

from __future__ import annotations

from hypothesis import settings

EXPLORING = "exploring"
REPEATABLE = "repeatable"


def be_repeatable() -> None:
    """Register both ways and take the first; pytest's ``--hypothesis-profile`` comes later and wins."""
    settings.register_profile(REPEATABLE, derandomize=True, print_blob=True)
    settings.register_profile(EXPLORING, print_blob=True)
    settings.load_profile(REPEATABLE)


def exploring() -> bool:
    """Return whether ``--hypothesis-profile=exploring`` asks for new inputs, and for many of them."""
    return settings.get_current_profile_name() == EXPLORING
