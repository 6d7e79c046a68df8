"""Pictures and their copies."""

from __future__ import annotations

from functools import cached_property

from ChatBot.bootstrap.ground import Ground
from ChatBot.services.copies.outbox import Outbox
from ChatBot.services.copies.replication import Replicator
from ChatBot.services.pictures.deletion import Deletion
from ChatBot.services.pictures.gallery import Gallery
from ChatBot.services.pictures.image_handler import ImageHandler, IntakeLimits
from ChatBot.services.pictures.privacy import Privacy
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.pictures.trash import Trash
from ChatBot.services.upkeep.copy_check import CopyCheck


class Pictures(Ground):
    """What keeps, sends, finds and deletes pictures."""

    @cached_property
    def gallery(self) -> Gallery:
        kept, steward = self.repositories, self.stewardship
        return Gallery(kept.messages, kept.images, self.events, room=steward.quota, history=steward.history)

    @cached_property
    def replicator(self) -> Replicator:
        return Replicator(
            self.chain,
            self.repositories.images,
            self.files,
            self.gallery.announce,
            decoder=self.decoder,
            history=self.stewardship.history,
            take_in=self.stewardship.orphans.take_in,
            wake=self.outbox.wake,
        )

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.repositories.images, self.jobs)

    @cached_property
    def privacy(self) -> Privacy:
        kept = self.repositories
        return Privacy(
            kept.users,
            kept.conversations,
            kept.messages,
            kept.images,
            kept.private,
            self.chain,
            self.replicator,
            self.resolver,
            self.gallery.announce,
            history=self.stewardship.history,
        )

    @cached_property
    def resolver(self) -> Resolver:
        return Resolver(self.files, self.repositories.images, self.chain, self.stewardship.history, self.decoder)

    @cached_property
    def image_handler(self) -> ImageHandler:
        settings = self.settings
        return ImageHandler(
            self.files,
            self.repositories.messages,
            self.replicator,
            self.privacy,
            IntakeLimits(settings.image_max_bytes, settings.image_max_pixels, settings.image_max_frames),
            cloud_wait_seconds=settings.cloud_wait_seconds,
            decoder=self.decoder,
            room=self.stewardship.quota,
            history=self.stewardship.history,
        )

    @cached_property
    def copy_check(self) -> CopyCheck:
        kept = self.repositories
        return CopyCheck(
            kept.copy_checks,
            kept.images,
            self.files,
            self.chain,
            self.replicator.retire,
            self.gallery.announce,
            days=self.settings.copy_check_days,
            decoder=self.decoder,
            history=self.stewardship.history,
        )

    @cached_property
    def deletion(self) -> Deletion:
        return Deletion(
            self.repositories.images,
            self.repositories.tombstones,
            self.files,
            self.chain,
            trash_days=self.settings.trash_days,
            bury=self.records[0].bury,
            noted=self.audit.purged,
            history=self.stewardship.history,
        )

    @cached_property
    def trash(self) -> Trash:
        return Trash(
            self.repositories.trash,
            self.gallery,
            self.deletion,
            self.resolver,
            trash_days=self.settings.trash_days,
        )
