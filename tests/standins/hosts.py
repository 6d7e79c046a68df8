"""The picture hosts and the object storage on one loopback server."""

from __future__ import annotations

from tests.standins.imgbb import Imgbb
from tests.standins.postimages import Postimages
from tests.standins.s3 import S3
from tests.standins.server import Server


class HostServer(Server):
    """PostImages, ImgBB and S3, each steered by its attribute: ``server.imgbb.fault = "rate_limit"``."""

    def __init__(self, port: int = 0) -> None:
        self.postimages = Postimages()
        self.imgbb = Imgbb()
        self.s3 = S3()
        super().__init__(self.postimages, self.imgbb, self.s3, port=port)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that make the application use PostImages and ImgBB here; S3 has its own ``environment``."""
        return {
            "POSTIMAGES_API_URL": self.postimages.api_url,
            "POSTIMAGES_API_KEY": "stand-in-key",
            "IMGBB_API_URL": self.imgbb.api_url,
            "IMGBB_DELETE_URL": self.imgbb.delete_api_url,
            "IMGBB_API_KEY": "stand-in-key",
            "FETCH_ALLOW_PRIVATE_HOSTS": self.netloc,
        }
