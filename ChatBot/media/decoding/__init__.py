"""Untrusted pictures are decoded in processes that can be killed: see ``base`` for what is asked, ``pool`` for how."""

from __future__ import annotations

from ChatBot.media.decoding.base import IN_PROCESS, Decoder, Facts, InProcess
from ChatBot.media.decoding.pool import DecoderPool

__all__ = ["IN_PROCESS", "Decoder", "DecoderPool", "Facts", "InProcess"]
