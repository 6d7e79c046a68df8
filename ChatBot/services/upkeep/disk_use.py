"""How many bytes of the disk pictures take, measured from the files and not from the documents."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from ChatBot.db.census import Census
from ChatBot.db.samples import Sample, Samples
from ChatBot.media.files import FileStore
from ChatBot.media.paths import ORIGINAL_FOLDERS, THUMBNAIL_FOLDER
from ChatBot.models import now

SAMPLE_SECONDS = 600
"""Between two measurements of an installation, however many processes it has."""


def bytes_by_folder(files: FileStore) -> Counter[str]:
    """Return how many bytes lie in each folder of Storage."""
    total: Counter[str] = Counter()
    for entry in files.list_files():
        total[entry.folder] += entry.size
    return total


def originals_bytes(by_folder: Counter[str]) -> int:
    """Return how many of those bytes are original pictures."""
    return sum(by_folder[folder] for folder in ORIGINAL_FOLDERS)


class DiskUse:
    """Takes the measurements that the chart of the administration page is drawn from."""

    def __init__(self, samples: Samples, census: Census, files: FileStore) -> None:
        self._samples = samples
        self._census = census
        self._files = files

    def sample(self) -> int:
        """Measure, unless another process has done so for this stretch of time; returns how many measurements."""
        at = _stretch(now())
        if self._samples.has(at):
            return 0
        by_folder = bytes_by_folder(self._files)
        depth, _ = self._census.outbox()
        sample = Sample(
            at=at,
            originals_bytes=originals_bytes(by_folder),
            thumbnails_bytes=by_folder[THUMBNAIL_FOLDER],
            free_bytes=self._files.free_bytes(),
            outbox_depth=depth,
        )
        return int(self._samples.add(sample))


def _stretch(moment: datetime) -> datetime:
    """Return the beginning of the stretch of time that a moment is in."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % SAMPLE_SECONDS, moment.tzinfo)
