"""People and what they say."""

from __future__ import annotations

from functools import cached_property

from ChatBot.bootstrap.pictures import Pictures
from ChatBot.services.accounts import Accounts
from ChatBot.services.conversations.chat import Chat
from ChatBot.services.conversations.generation import Generation
from ChatBot.services.conversations.recovery import Recovery
from ChatBot.services.conversations.running import Running
from ChatBot.services.conversations.threads import Threads
from ChatBot.services.guessing import Guessing
from ChatBot.services.pictures.showing import Showing
from ChatBot.services.sharing.bundles import Bundles
from ChatBot.services.sharing.continuing import Continuing
from ChatBot.services.sharing.linking import Linking
from ChatBot.services.sharing.previews import Previews
from ChatBot.services.sharing.sharing import Sharing

CHAT_THREADS = 32
"""Answers that stream at the same time in one process; they mostly wait for the model."""


class Conversations(Pictures):
    """Accounts, conversations, links to them, and the answers in them."""

    @cached_property
    def accounts(self) -> Accounts:
        kept = self.repositories
        return Accounts(
            kept.users,
            kept.tokens,
            kept.sessions,
            allow_registration=self.settings.allow_registration,
            hasher=self.hasher,
        )

    @cached_property
    def guessing(self) -> Guessing:
        return Guessing(self.repositories.guesses)

    @cached_property
    def threads(self) -> Threads:
        kept = self.repositories
        return Threads(
            kept.conversations,
            kept.messages,
            kept.images,
            kept.shares,
            self.events,
            kept.private,
            self.stewardship.history,
        )

    @cached_property
    def sharing(self) -> Sharing:
        kept = self.repositories
        return Sharing(kept.shares, kept.conversations, kept.messages, kept.images, self.threads, hasher=self.hasher)

    @cached_property
    def linking(self) -> Linking:
        kept = self.repositories
        return Linking(kept.picture_links, kept.images, kept.users, self.secret_key)

    @cached_property
    def previews(self) -> Previews:
        return Previews(self.resolver, self.decoder)

    @cached_property
    def bundles(self) -> Bundles:
        return Bundles(self.sharing, self.resolver, self.stewardship.viewing.note)

    @cached_property
    def showing(self) -> Showing:
        return Showing(self.repositories.glances)

    @cached_property
    def continuing(self) -> Continuing:
        kept = self.repositories
        return Continuing(
            self.sharing,
            self.image_handler,
            self.resolver,
            kept.conversations,
            kept.messages,
            kept.drafts,
            kept.images,
        )

    @cached_property
    def pools(self) -> tuple[Running, Running]:
        """Where pictures are drawn, and where answers are written."""
        drawing = Running(self.repositories.messages, self.settings.generation_threads, "draw")
        return drawing, Running(self.repositories.messages, CHAT_THREADS, "chat", owner=drawing.owner)

    @cached_property
    def generation(self) -> Generation:
        return Generation(
            self.generators,
            self.settings.image_generator,
            self.image_handler,
            self.repositories.messages,
            self.threads,
            self.events,
            self.pools[0],
            self.spool,
            parallel=self.settings.generation_threads,
        )

    @cached_property
    def chat(self) -> Chat:
        kept = self.repositories
        return Chat(
            self.assistant,
            self.generation,
            self.threads,
            kept.messages,
            kept.images,
            self.resolver,
            self.events,
            self.pools[1],
        )

    @cached_property
    def recovery(self) -> Recovery:
        return Recovery(self.repositories.messages, self.generation, self.chat, self.events, self.pools, self.spool)
