"""The pages: complete, free of inline code, readable without scripts, and never a springboard to another site."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ChatBot.container import Services
from ChatBot.web.routes.pages import SIDEBAR_CONVERSATIONS, _safe_next
from tests.fixtures.application import PASSWORD, Api

HTML = {"Accept": "text/html"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
HOSTILE = "<img src=x onerror=alert(1)> \"quoted\" 'single' <script>alert(2)</script> {{ 7 * 7 }}"


class Page(HTMLParser):
    """A page's elements, and whether they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.misnested: list[str] = []
        self.inline: list[str] = []
        self.doctype = ""
        self.feed(html)
        self.close()

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        is_code = self.open and self.open[-1] in ("script", "style")
        if is_code and data.strip() and self.elements[-1][1].get("type") != "application/json":
            self.inline.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def form_token(html: str) -> str:
    """Return the CSRF token of a page's form."""
    fields = [field for field in Page(html).all("input") if field.get("name") == "csrf_token"]
    return str(fields[0]["value"])


@pytest.fixture
def every_page(ann: Api, visitor: Api) -> dict[str, str]:
    """All pages by name, with hostile words in everything a person can write."""
    made = ann.generate(HOSTILE)
    conversation_id, image_id = made["conversation_id"], made["images"][0]["id"]
    ann.patch(f"/api/images/{image_id}", json={"caption": HOSTILE, "tags": [HOSTILE[:50]]})
    ann.patch(f"/api/conversation/{conversation_id}", json={"title": HOSTILE})
    ann.post("/api/tokens", json={"name": HOSTILE})
    open_link = ann.post(f"/api/conversation/{conversation_id}/share", json={}).json["token"]
    locked_link = ann.post(f"/api/conversation/{conversation_id}/share", json={"password": "open sesame"}).json["token"]
    own = ("/", f"/c/{conversation_id}", "/gallery", "/shares", "/settings", "/admin", "/api/docs", "/no/such/page")
    public = ("/login", "/register", f"/share/{open_link}", f"/share/{locked_link}", "/share/unknown")
    pages = {path: ann.get(path, headers=HTML) for path in own}
    pages |= {path: visitor.get(path, headers=HTML) for path in public}
    assert {answer.mimetype for answer in pages.values()} == {"text/html"}
    return {path: answer.text for path, answer in pages.items()}


def test_every_page_is_complete_and_well_nested(every_page: dict[str, str]) -> None:
    for path, html in every_page.items():
        page = Page(html)

        assert page.doctype.lower() == "doctype html", path
        assert (page.open, page.misnested) == ([], []), path
        assert page.all("html")[0]["lang"] == "en", path
        assert all(len(page.all(tag)) == 1 for tag in ("head", "body", "title", "h1")), path


def test_no_page_has_inline_code_or_style(every_page: dict[str, str]) -> None:
    for path, html in every_page.items():
        page = Page(html)

        assert page.inline == [], path
        assert page.all("style") == [], path
        for tag, attributes in page.elements:
            assert not any(name == "style" or name.startswith("on") for name in attributes), (path, tag, attributes)
            link = (attributes.get("href") or attributes.get("src") or "").strip().lower()
            assert not link.startswith(("javascript:", "data:text", "http")), (path, link)


def test_every_picture_on_a_page_keeps_its_place_and_says_what_it_shows(every_page: dict[str, str]) -> None:
    shown = 0
    for path, html in every_page.items():
        for picture in Page(html).all("img"):
            shown += 1
            assert {"width", "height", "alt", "loading", "src"} <= set(picture), (path, picture)
            assert picture["loading"] == "lazy", (path, picture)

    assert shown > 5


def test_what_a_person_wrote_is_shown_as_they_wrote_it(every_page: dict[str, str]) -> None:
    for path, html in every_page.items():
        assert "<img src=x" not in html, path

    conversation = next(html for path, html in every_page.items() if path.startswith("/c/"))
    assert "{{ 7 * 7 }}" in conversation


def test_the_titles_of_pages_carry_no_markup(every_page: dict[str, str]) -> None:
    assert all("alert(2)</script>" not in html for html in every_page.values())


@pytest.mark.parametrize("language", ["vi", "vi-VN,vi;q=0.9", "xx", "", "*", "de;q=abc"])
def test_pages_come_in_any_language_that_is_asked_for(ann: Api, visitor: Api, language: str) -> None:
    ann.generate()
    expected = "vi" if language.startswith("vi") else "en"

    for api, path in ((visitor, "/login"), (ann, "/"), (ann, "/gallery"), (ann, "/settings"), (visitor, "/share/none")):
        answer = api.get(path, headers={**HTML, "Accept-Language": language})

        assert answer.status_code in (200, 404)
        assert Page(answer.text).all("html")[0]["lang"] == expected


def test_the_chosen_language_stays(ann: Api) -> None:
    answer = ann.post("/language", data={"language": "vi"}, headers={"Referer": "http://localhost/gallery"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/gallery")
    assert Page(ann.get("/gallery", headers=HTML).text).all("html")[0]["lang"] == "vi"


def test_choosing_a_language_never_leads_to_another_site(ann: Api) -> None:
    answer = ann.post("/language", data={"language": "vi"}, headers={"Referer": "https://evil.example//evil.example"})

    assert answer.headers["Location"] == "/"


def test_registering_and_logging_in_by_form_needs_no_script(app: Flask) -> None:
    person = Api(app)
    token = form_token(person.get("/register?next=/gallery", headers=HTML).text)

    registered = person.post(
        "/register", data={"csrf_token": token, "username": "ann", "password": PASSWORD, "next": "/gallery"}
    )
    assert (registered.status_code, registered.headers["Location"]) == (303, "/gallery")
    token = form_token(person.get("/settings", headers=HTML).text)
    assert person.post("/logout", data={"csrf_token": token}).headers["Location"] == "/login"
    token = form_token(person.get("/login", headers=HTML).text)
    logged_in = person.post("/login", data={"csrf_token": token, "username": "ann", "password": PASSWORD, "next": "/"})

    assert (logged_in.status_code, logged_in.headers["Location"]) == (303, "/")
    assert person.get("/gallery", headers=HTML).status_code == 200


@pytest.mark.usefixtures("ann")
def test_a_wrong_password_shows_the_form_again_with_the_reason_and_the_name(app: Flask) -> None:
    person = Api(app)
    token = form_token(person.get("/login", headers=HTML).text)

    answer = person.post("/login", data={"csrf_token": token, "username": "ann", "password": "wrong password"})

    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert any(field.get("value") == "ann" for field in Page(answer.text).all("input"))
    assert "wrong password" not in answer.text


@pytest.mark.usefixtures("ann")
def test_a_taken_name_shows_the_registration_again(app: Flask) -> None:
    person = Api(app)
    token = form_token(person.get("/register", headers=HTML).text)

    answer = person.post("/register", data={"csrf_token": token, "username": "Ann", "password": PASSWORD})

    assert answer.status_code == 409
    assert "taken" in answer.text


def test_a_person_who_is_logged_in_is_sent_on_from_the_login_page(ann: Api) -> None:
    assert ann.get("/login?next=/gallery").headers["Location"] == "/gallery"
    assert ann.get("/login?next=https://evil.example").headers["Location"] == "/"
    assert ann.get("/register").headers["Location"] == "/"


def test_without_any_account_the_login_page_leads_to_the_registration(make_app: Callable[..., Flask]) -> None:
    assert make_app().test_client().get("/login").headers["Location"] == "/register"


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.builds("/".__add__, st.text()),
        st.builds(
            lambda start, rest: start + rest,
            st.sampled_from(
                ["//", "/\\", "\\\\", "/\t/", "/\n/", "http:", "https:///", "javascript:", "/%2f", "/./", "/../", " //"]
            ),
            st.text(),
        ),
    )
)
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("https:evil.example")
@example("/\x00//evil.example")
@example("///evil.example")
@example("/ok?next=//evil.example")
@example("/[")
def test_a_target_never_leaves_the_site(target: str) -> None:
    chosen = _safe_next(target)

    # Browsers drop tabs and line ends, and take a backslash for a slash.
    seen = "".join(character for character in chosen if character not in "\t\r\n").replace("\\", "/").strip()
    assert urlsplit(urljoin("http://chat.example/login", seen)).netloc == "chat.example"
    assert chosen.startswith("/")


def test_a_message_comes_as_a_piece_of_its_page(ann: Api) -> None:
    made = ann.generate()

    answer = ann.get(f"/c/{made['conversation_id']}/messages/{made['message_id']}", headers=HTML)

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<li")
    assert made["images"][0]["id"] in answer.text


def test_a_message_that_is_gone_leaves_nothing_to_show_and_one_of_others_is_not_found(ann: Api, bob: Api) -> None:
    made = ann.generate()
    place = f"/c/{made['conversation_id']}/messages"

    own, foreign = (who.get(f"{place}/{'0' * 32}", headers=HTML) for who in (ann, bob))
    theirs = bob.get(f"{place}/{made['message_id']}", headers=HTML)

    assert (own.status_code, own.data) == (204, b"")
    assert (foreign.status_code, theirs.status_code) == (404, 404)


def test_links_are_listed_and_closed_by_form(ann: Api) -> None:
    made = ann.generate("a lighthouse")
    share = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json
    assert "a lighthouse" in ann.get("/shares", headers=HTML).text

    answer = ann.post(f"/shares/{share['id']}/revoke", data={"csrf_token": ann.headers["X-CSRF-Token"]})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/shares")
    assert ann.get(f"/api/share/{share['token']}").status_code == 404


def services_of(api: Api) -> Services:
    """Return the services that somebody's application runs on."""
    running: Services = api.http.application.extensions["chatbot"]
    return running


def test_the_list_of_conversations_goes_on_where_it_stopped(ann: Api) -> None:
    running = services_of(ann)
    owner = running.accounts.find("ann")
    assert owner is not None
    made = [running.threads.create(owner, f"talk {number}").id for number in range(SIDEBAR_CONVERSATIONS + 2)]

    first = Page(ann.get("/", headers=HTML).text).all("a")
    onward = next(str(link["href"]) for link in first if str(link["href"]).startswith("/?older="))
    second = Page(ann.get(onward, headers=HTML).text).all("a")

    listed = [str(link["href"]) for link in (*first, *second)]
    assert sorted(set(made)) == sorted(href.removeprefix("/c/") for href in listed if re.match("/c/[0-9a-f]", href))
    assert not any("older=" in str(link["href"]) for link in second)


def test_the_gallery_page_goes_on_where_it_stopped(ann: Api) -> None:
    for _ in range(7):
        ann.generate(count=8, width=64, height=64)

    first = ann.get("/gallery", headers=HTML).text
    cursors = [link["href"] for link in Page(first).all("a") if "cursor=" in (link.get("href") or "")]
    second = ann.get(str(cursors[0]), headers=HTML).text

    def pictures(html: str) -> set[str]:
        return {str(f["data-image-id"]) for tag, f in Page(html).elements if "data-image-id" in f}

    assert pictures(first)
    assert not pictures(first) & pictures(second)
    assert len(pictures(first) | pictures(second)) == 56
