"""The catalogues: every text of the pages has its translation, with the same placeholders, and is compiled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from ChatBot.config import PROJECT_ROOT
from ChatBot.web.rendering.locale import LANGUAGES
from ChatBot.web.rendering.sentences import SENTENCES
from tests.fixtures.application import Api
from tests.web.test_uploads import hand_in

FOLDER = Path(PROJECT_ROOT, "ChatBot", "translations")
TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")
HTML = {"Accept": "text/html"}


def texts_of(message: Message) -> tuple[str, ...]:
    """Return the singular and the plural of an original."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def translations_of(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def written() -> set[str]:
    """Return every text that the templates and the code mark for translation, by its singular."""
    with (FOLDER / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {**DEFAULT_KEYWORDS, "known": None, "lazy_gettext": None, "Sentence": None}
    found: set[str] = set()
    for folder in ("ChatBot", "templates"):
        entries = extract_from_dir(str(Path(PROJECT_ROOT, folder)), methods, options, keywords=keywords)
        found |= {entry[2][0] if isinstance(entry[2], tuple) else entry[2] for entry in entries}
    return found


@pytest.fixture(scope="module")
def texts() -> set[str]:
    return written()


def test_the_template_of_the_catalogues_holds_every_text(texts: set[str]) -> None:
    with (FOLDER / "messages.pot").open("rb") as file:
        template = {texts_of(message)[0] for message in read_po(file) if message.id}

    assert template == texts, "run `make translations`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(texts: set[str], language: str) -> None:
    done = {texts_of(message)[0] for message in catalogue(language) if message.id and all(translations_of(message))}

    assert texts - done == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_a_guess_or_left_over(texts: set[str], language: str) -> None:
    messages = [message for message in catalogue(language) if message.id]

    assert [message.id for message in messages if message.fuzzy] == []
    assert {texts_of(message)[0] for message in messages} - texts == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_placeholders_of_their_originals(language: str) -> None:
    for message in catalogue(language):
        wanted = sorted(PLACEHOLDER.findall(texts_of(message)[-1]))

        assert all(sorted(PLACEHOLDER.findall(text)) == wanted for text in translations_of(message)), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_says_what_the_written_one_says(language: str) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = read_mo(file)

    shown = {texts_of(message): translations_of(message) for message in compiled if message.id}
    assert shown == {texts_of(message): translations_of(message) for message in catalogue(language) if message.id}


def test_sentences_of_the_server_are_those_that_it_says() -> None:
    code = [path.read_text(encoding="utf-8") for path in Path(PROJECT_ROOT, "ChatBot").rglob("*.py")]

    assert [each for each in SENTENCES if sum(f'"{each}"' in text for text in code) < 2] == []


def test_pages_and_their_errors_speak_vietnamese_to_a_browser_that_asks(ann: Api, visitor: Api) -> None:
    wish = {**HTML, "Accept-Language": "vi-VN,vi;q=0.9,en;q=0.5"}

    assert "Thư viện" in ann.get("/gallery", headers=wish).text
    assert "Không có cuộc trò chuyện này." in ann.get("/c/unknown", headers=wish).text
    assert "Liên kết này không dẫn đến đâu cả" in visitor.get("/share/unknown", headers=wish).text
    refused = visitor.post("/login", data={"username": "ann", "password": "wrong"}, headers=wish)
    assert refused.status_code in (401, 403)


def test_a_language_that_was_chosen_outlives_the_session(ann: Api) -> None:
    ann.post("/language", data={"language": "vi"})

    ann.post("/api/auth/logout")

    assert 'lang="vi"' in ann.get("/login", headers=HTML).text


def test_a_problem_that_a_page_asked_for_is_said_in_its_language(ann: Api) -> None:
    page = {"Accept-Language": "vi", "X-Read-By": "person"}

    answer = hand_in(ann, b"", headers=page)
    unknown = ann.get("/api/conversation/unknown", headers=page)

    assert answer.json["detail"] == "Tệp trống."
    assert unknown.json["detail"] == "Không có cuộc trò chuyện này."


def test_programs_hear_the_same_whatever_their_language(ann: Api) -> None:
    answer = ann.get("/api/conversation/unknown", headers={"Accept-Language": "vi"})

    assert answer.json["detail"] == "There is no such conversation."
