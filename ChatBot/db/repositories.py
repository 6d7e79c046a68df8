"""All repositories of one database together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from ChatBot.db.audit import AuditLog
from ChatBot.db.census import Census
from ChatBot.db.chores import Chores
from ChatBot.db.conversations import Conversations
from ChatBot.db.copy_checks import CopyChecks
from ChatBot.db.drafts import Drafts
from ChatBot.db.events import Events
from ChatBot.db.glances import Glances
from ChatBot.db.guesses import Guesses
from ChatBot.db.history import History
from ChatBot.db.images import Images
from ChatBot.db.ledger import Ledger
from ChatBot.db.marks import Marks
from ChatBot.db.messages import Messages
from ChatBot.db.originals import Originals
from ChatBot.db.orphans import Orphans
from ChatBot.db.picture_links import PictureLinks
from ChatBot.db.private import PrivatePictures
from ChatBot.db.samples import Samples
from ChatBot.db.sessions import Sessions
from ChatBot.db.shares import Shares
from ChatBot.db.tasks import Tasks
from ChatBot.db.tokens import Tokens
from ChatBot.db.tombstones import Tombstones
from ChatBot.db.trash import Trash
from ChatBot.db.upload_windows import UploadWindows
from ChatBot.db.usage import Usage
from ChatBot.db.users import Users
from ChatBot.db.views import Views


@dataclass(frozen=True)
class Repositories:
    """One repository per noun, on one database."""

    users: Users
    tokens: Tokens
    sessions: Sessions
    conversations: Conversations
    messages: Messages
    drafts: Drafts
    images: Images
    trash: Trash
    private: PrivatePictures
    shares: Shares
    picture_links: PictureLinks
    events: Events
    tombstones: Tombstones
    ledger: Ledger
    marks: Marks
    history: History
    usage: Usage
    views: Views
    orphans: Orphans
    originals: Originals
    samples: Samples
    tasks: Tasks
    census: Census
    guesses: Guesses
    audit: AuditLog
    copy_checks: CopyChecks
    upload_windows: UploadWindows
    glances: Glances
    chores: Chores

    @classmethod
    def on(cls, database: Database[dict[str, Any]]) -> Repositories:
        """Build them and create their indexes."""
        built = cls(
            users=Users(database),
            tokens=Tokens(database),
            sessions=Sessions(database),
            conversations=Conversations(database),
            messages=Messages(database),
            drafts=Drafts(database),
            images=Images(database),
            trash=Trash(database),
            private=PrivatePictures(database),
            shares=Shares(database),
            picture_links=PictureLinks(database),
            events=Events(database),
            tombstones=Tombstones(database),
            ledger=Ledger(database),
            marks=Marks(database),
            history=History(database),
            usage=Usage(database),
            views=Views(database),
            orphans=Orphans(database),
            originals=Originals(database),
            samples=Samples(database),
            tasks=Tasks(database),
            census=Census(database),
            guesses=Guesses(database),
            audit=AuditLog(database),
            copy_checks=CopyChecks(database),
            upload_windows=UploadWindows(database),
            glances=Glances(database),
            chores=Chores(database),
        )
        for repository in vars(built).values():
            repository.ensure_indexes()
        return built
