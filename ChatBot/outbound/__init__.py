"""The one gate through which the server fetches anything whose address came from outside."""

from ChatBot.outbound.gate import Fetched, Gate
from ChatBot.outbound.targets import origin_of
from ChatBot.outbound.verdicts import malformed, raise_for_status, retry_after_seconds

__all__ = ["Fetched", "Gate", "malformed", "origin_of", "raise_for_status", "retry_after_seconds"]
