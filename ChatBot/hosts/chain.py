"""Several hosts as one: the first that takes the picture wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ChatBot.errors import ProviderError, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import CloudHost, DeletionProof, HostTraits, Receipt, Upload


@dataclass(frozen=True)
class Attempt:
    """What became of one picture: the receipt of the host that took it, and who failed before, in order."""

    receipt: Receipt | None
    failures: Mapping[str, ProviderError]


class HostChain(CloudHost):
    """An ordered fallback that is itself a host. Refusals and failures both move on to the next member.

    ``hosts`` take uploads; ``retired`` ones only give back and delete what they already have (their key was taken
    away, their copies still exist).
    """

    name = "chain"

    def __init__(self, hosts: Iterable[CloudHost], *, retired: Iterable[CloudHost] = ()) -> None:
        self.hosts = tuple(hosts)
        self._known = self.hosts + tuple(retired)
        self.traits = _combined(self.hosts)

    @property
    def known(self) -> tuple[CloudHost, ...]:
        """Every member, the active ones first and in order."""
        return self._known

    def by_name(self, name: str) -> CloudHost | None:
        """Return the member called ``name``, active or retired, or None."""
        return next((host for host in self._known if host.name == name), None)

    def member(self, name: str) -> CloudHost:
        """Return the member called ``name``; raises ``ProviderUnavailable`` when this server has no such host."""
        host = self.by_name(name)
        if host is None:
            raise ProviderUnavailable(f"The host {name} is not known to this server", provider=name)
        return host

    def open_to(self, *, private: bool) -> tuple[CloudHost, ...]:
        """Return the hosts that a new picture may be sent to, in order."""
        return tuple(host for host in self.hosts if not (private and host.traits.public))

    def may_have(self, upload: Upload) -> bool:
        """Say whether any member may have the picture."""
        return not self.hosts or any(host.may_have(upload) for host in self.hosts)

    def upload_detailed(self, upload: Upload) -> Attempt:
        """Try the hosts in order and say who failed on the way; raises nothing when all of them do."""
        failures: dict[str, ProviderError] = {}
        for host in self.open_to(private=upload.private):
            try:
                return Attempt(host.upload(upload), failures)
            except ProviderError as error:
                failures[host.name] = error
        return Attempt(None, failures)

    def _upload(self, upload: Upload) -> Receipt:
        attempt = self.upload_detailed(upload)
        if attempt.receipt is None:
            raise self._most_retryable(attempt.failures)
        return attempt.receipt

    def _most_retryable(self, failures: Mapping[str, ProviderError]) -> ProviderError:
        passing = [error for error in failures.values() if isinstance(error, ProviderUnavailable)]
        refused = [error for error in failures.values() if isinstance(error, ProviderRefused)]
        text = "; ".join(str(error) for error in failures.values()) or "No cloud host is set up"
        summary: ProviderError
        if passing:
            waits = [error.retry_after_seconds or 0.0 for error in passing]
            summary = ProviderUnavailable(text, provider=self.name, retry_after_seconds=min(waits) or None)
        else:
            summary = ProviderRefused(text, provider=self.name, reason=refused[0].reason if refused else "input")
        summary.failures = dict(failures)
        return summary

    def _fetch(self, url: str) -> bytes:
        owner = next((host for host in self._known if host.owns(url)), None)
        if owner is None:
            raise ProviderRefused("No known host gives out that URL", provider=self.name, reason="input")
        return owner.fetch(url)

    def _delete(self, receipt: Receipt) -> DeletionProof:
        host = self.by_name(receipt.host)
        return "manual" if host is None else host.delete(receipt)

    def _link(self, url: str) -> str | None:
        owner = next((host for host in self._known if host.owns(url)), None)
        return None if owner is None else owner.link(url)

    def _owns(self, url: str) -> bool:
        return any(host.owns(url) for host in self._known)


def _combined(hosts: tuple[CloudHost, ...]) -> HostTraits:
    """Return what may be relied on whichever member took the picture."""
    traits = [host.traits for host in hosts]
    return HostTraits(
        max_bytes=max((one.max_bytes for one in traits), default=0),
        public=any(one.public for one in traits),
        deletable=all(one.deletable for one in traits),
        may_recompress=any(one.may_recompress for one in traits),
        trusted=bool(traits) and all(one.trusted for one in traits),
    )
