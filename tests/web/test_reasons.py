"""Why an answer failed is said in the language of whoever reads it, however long ago it was written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from ChatBot.web.context import EXTENSION
from tests.fixtures.application import Api
from tests.fixtures.ports import free_port

ENGLISH = {"Accept": "text/html", "Accept-Language": "en"}
VIETNAMESE = {"Accept": "text/html", "Accept-Language": "vi"}
PICTURE = {"prompt": "a red fox", "width": 128, "height": 128}


def failed_for(app: Flask, ann: Api, reason: object) -> str:
    """Have a picture drawn, write down that it failed for this reason, and return its conversation's id."""
    made = ann.post("/api/generate-image", json=PICTURE).json
    app.extensions[EXTENSION].database["messages"].update_one(
        {"_id": made["message_id"]}, {"$set": {"status": "failed", "images": [], "error": reason}}
    )
    return str(made["conversation_id"])


def test_a_generator_that_is_away_is_named_in_the_language_of_the_page(make_app: Callable[..., Flask]) -> None:
    away = f"127.0.0.1:{free_port()}"
    app = make_app(image_generator="stable_diffusion", sd_webui_url=f"http://{away}", fetch_allow_private_hosts=(away,))
    ann = Api(app).register("ann")

    refused = ann.post("/api/generate-image", json=PICTURE, headers={"Accept-Language": "vi", "X-Read-By": "person"})

    [conversation] = ann.get("/api/conversations").json["items"]
    told = ann.get(f"/api/conversation/{conversation['id']}").json["messages"][-1]["error"]
    assert told == "stable_diffusion could not be reached (ConnectionRefusedError)"
    said = "Không kết nối được với stable_diffusion (ConnectionRefusedError)"
    assert refused.json["detail"] == said
    assert said in ann.get(f"/c/{conversation['id']}", headers=VIETNAMESE).text
    assert told in ann.get(f"/c/{conversation['id']}", headers=ENGLISH).text


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("The server stopped while this was being made.", "Máy chủ đã dừng trong khi nội dung này đang được tạo."),
        ("A reason of long ago, 100 %(full)s.", "A reason of long ago, 100 %(full)s."),
        ({"text": "%(what)s of long ago", "values": {"what": "A reason"}}, "A reason of long ago"),
        (
            {"text": "%(provider)s sent more than %(most)s bytes", "values": {"provider": "it", "most": 5_000}},
            "it gửi nhiều hơn 5.000 byte",
        ),
    ],
)
def test_a_reason_that_stands_in_an_old_message_is_read_in_the_language_of_the_page_if_it_is_known(
    app: Flask, ann: Api, kept: object, said: str
) -> None:
    conversation_id = failed_for(app, ann, kept)

    page = ann.get(f"/c/{conversation_id}", headers=VIETNAMESE)

    assert said in page.text


def test_a_reason_is_a_text_on_the_page_whatever_stands_in_it(app: Flask, ann: Api) -> None:
    hostile = {"text": "The chat model refused the request: %(said)s", "values": {"said": "<b>%(x)s</b>"}}
    conversation_id = failed_for(app, ann, hostile)

    page = ann.get(f"/c/{conversation_id}", headers=VIETNAMESE)

    assert "Mô hình trò chuyện từ chối yêu cầu: &lt;b&gt;%(x)s&lt;/b&gt;" in page.text
