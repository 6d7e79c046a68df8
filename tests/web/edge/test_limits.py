"""Limits over HTTP: 429 with a reason and Retry-After, and nothing done; ordinary use stays below them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask

from ChatBot.errors import RateLimited
from ChatBot.web.edge.budgets import account_key, address_key
from ChatBot.web.edge.limits import BUDGETS, COUNTED_BY_THEIR_VIEWS, UNLIMITED, budgets_of
from tests.fixtures.application import PASSWORD, Answer, Api
from tests.fixtures.redis import RedisServer
from tests.fixtures.server import eventually
from tests.services.workshop import at_once
from tests.web.edge.test_guard import BODIES, Things, address, ask, routes
from tests.web.routes.test_pages import form_token

CREDENTIALS = {name: {"username": "eve", "password": PASSWORD} for name in ("auth.register", "auth.login")}


def refused(answer: Answer) -> bool:
    """Say whether a limit answered, as documented."""
    if answer.status_code != 429:
        return False
    assert int(answer.headers["Retry-After"]) >= 1
    return True


def pictures_of(api: Api, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pictures of the message that an answer named, once it is complete."""
    messages = api.get(f"/api/conversation/{answer['conversation_id']}").json["messages"]
    (message,) = (each for each in messages if each["id"] == answer["message_id"])
    return list(message["images"]) if message["status"] == "complete" else []


def every_page(api: Api, path: str) -> set[str]:
    """Return the ids of a whole list."""
    page = api.get(path).json
    found = [item["id"] for item in page["items"]]
    while page["next_cursor"]:
        page = api.get(path, query_string={"cursor": page["next_cursor"]}).json
        found += [item["id"] for item in page["items"]]
    assert len(set(found)) == len(found)
    return set(found)


def test_every_route_is_counted_or_stands_among_those_that_are_not(app: Flask) -> None:
    named = [*BUDGETS, *COUNTED_BY_THEIR_VIEWS, *UNLIMITED]

    assert sorted(named) == sorted({route.endpoint for route in app.url_map.iter_rules()})


@pytest.mark.parametrize("budget", sorted({*BUDGETS.values(), *COUNTED_BY_THEIR_VIEWS.values()}))
def test_every_route_of_a_used_up_budget_refuses(make_app: Callable[..., Flask], budget: str) -> None:
    app = make_app(rate_limits=f"{budget}=1/hour")
    ann = Api(app).register()
    things = vars(Things.absent())
    for key in (account_key(ann.get("/api/auth/me").json["id"]), address_key("127.0.0.1")):
        with suppress(RateLimited):  # registering has used up one of them
            budgets_of(app).hit(budget, key)
    wanted = {name for name, taken in (BUDGETS | COUNTED_BY_THEIR_VIEWS).items() if taken == budget}

    answers = {
        route.endpoint: ask(ann, method, address(app, route, things), route.endpoint, BODIES | CREDENTIALS).status_code
        for route, method in routes(app)
        if route.endpoint in wanted
    }

    assert answers == dict.fromkeys(wanted, 429)


def test_a_used_up_budget_refuses_with_a_reason_and_is_counted(make_app: Callable[..., Flask]) -> None:
    ann = Api(make_app(rate_limits="generation=2/minute")).register()
    ann.generate()
    ann.generate()

    answer = ann.post("/api/generate-image", json={"prompt": "a third", "width": 256, "height": 256})

    assert refused(answer)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"].endswith("rate-limited")
    assert "(2 in 60 s)" in answer.json["detail"]
    assert len(ann.get("/api/images").json["items"]) == 2
    assert 'chatbot_refused_total{budget="generation"} 1.0' in ann.get("/metrics").text


def test_accounts_have_budgets_of_their_own(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limits="generation=1/minute")
    ann, bob = Api(app).register("ann"), Api(app).register("bob")
    ann.generate()

    assert bob.generate()["images"]


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "198.51.100.{n}"}, {"Forwarded": "for=198.51.100.{n}"}])
def test_nobody_escapes_a_limit_by_a_header(make_app: Callable[..., Flask], headers: dict[str, str]) -> None:
    app = make_app(rate_limits="login=3/minute")

    answers = [
        Api(app).post(
            "/api/auth/login",
            json={"username": f"name {n}", "password": "wrong password"},
            headers={name: value.format(n=n) for name, value in headers.items()},
        )
        for n in range(4)
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_people_behind_a_trusted_proxy_have_budgets_of_their_own(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limits="login=1/minute", trusted_proxies="127.0.0.1")

    answers = [
        Api(app).post(
            "/api/auth/login",
            json={"username": "ann", "password": PASSWORD},
            headers={"X-Forwarded-For": f"198.51.100.{n}"},
        )
        for n in (1, 2, 1)
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


def guess(app: Flask, password: str, address: str = "192.0.2.1", username: str = "ann") -> Answer:
    """Try to log in from an address."""
    options: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": address}}
    return Api(app).post("/api/auth/login", json={"username": username, "password": password}, **options)


@pytest.mark.usefixtures("ann")
def test_guessing_gets_slower_and_the_right_password_waits_as_well(app: Flask) -> None:
    wrong = [guess(app, f"wrong password {n}").status_code for n in range(6)]

    answer = guess(app, PASSWORD)

    assert wrong == [401] * 6
    assert refused(answer)


@pytest.mark.usefixtures("ann")
def test_a_guesser_does_not_lock_the_owner_out(app: Flask) -> None:
    for n in range(8):
        guess(app, f"wrong password {n}", "192.0.2.66")

    assert guess(app, PASSWORD, "192.0.2.1").status_code == 200
    assert refused(guess(app, PASSWORD, "192.0.2.66"))


def test_guessing_at_a_name_that_nobody_has_is_answered_alike(app: Flask, ann: Api) -> None:
    assert ann.get("/api/auth/me").status_code == 200

    known = [guess(app, "wrong password", "192.0.2.66").status_code for _ in range(8)]
    unknown = [guess(app, "wrong password", "192.0.2.67", "nobody").status_code for _ in range(8)]

    assert known == unknown
    assert known[-1] == 429


@pytest.mark.usefixtures("ann")
def test_the_login_form_says_how_long_to_wait(make_app: Callable[..., Flask]) -> None:
    visitor = Api(make_app(rate_limits="login=1/hour"))
    for _ in range(2):
        token = form_token(visitor.get("/login", headers={"Accept": "text/html"}).text)
        answer = visitor.post(
            "/login",
            data={"username": "ann", "password": "wrong password", "csrf_token": token},
            headers={"Accept": "text/html", "Accept-Language": "en"},
        )

    assert refused(answer)
    assert 'name="password"' in answer.text
    assert "Try again in" in answer.text
    assert 'value="ann"' in answer.text


def test_100_generations_at_once_are_answered_and_each_acknowledged_picture_is_there_once(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(rate_limits="generation=80/hour")
    ann = Api(app).register()
    headers = {"Authorization": f"Bearer {ann.post('/api/tokens', json={}).json['token']}"}

    def generate(number: int) -> Answer:
        wanted = {"prompt": f"fox {number}", "width": 64, "height": 64, "seed": number}
        prefer = {"Prefer": "respond-async"} if number % 2 else {}
        return Api(app).post("/api/generate-image", json=wanted, headers=headers | prefer)

    answers: list[Answer] = at_once(generate, 100)

    drawn = [answer.json for answer in answers if answer.status_code == 201]
    promised = [answer.json for answer in answers if answer.status_code == 202]
    turned_away = [answer for answer in answers if answer.status_code not in (201, 202)]
    assert (len(drawn) + len(promised), len(turned_away)) == (80, 20)
    assert all(refused(answer) and "(80 in 3,600 s)" in answer.json["detail"] for answer in turned_away)
    assert eventually(lambda: all(pictures_of(ann, each) for each in promised))
    kept = [image for each in (*drawn, *promised) for image in pictures_of(ann, each)]
    assert len({image["id"] for image in kept}) == len(kept) == 80
    assert sorted(image["seed"] for image in kept) == sorted({image["seed"] for image in kept})
    assert every_page(ann, "/api/images") == {image["id"] for image in kept}
    assert all(sha256(ann.get(image["src"]).data).hexdigest() == image["sha256"] for image in kept)


def test_servers_with_one_redis_share_the_count(make_app: Callable[..., Flask], redis_server: RedisServer) -> None:
    together = {"rate_limits": "generation=2/minute", "redis_url": redis_server.url}
    one, other = make_app(**together), make_app(**together)
    ann = Api(one).register()
    headers = {"Authorization": f"Bearer {ann.post('/api/tokens', json={}).json['token']}"}
    wanted = {"prompt": "a fox", "width": 64, "height": 64}

    answers = [Api(app).post("/api/generate-image", json=wanted, headers=headers) for app in (one, other, one, other)]

    assert [answer.status_code for answer in answers] == [201, 201, 429, 429]


def test_a_redis_that_hangs_holds_no_request_up(make_app: Callable[..., Flask], redis_server: RedisServer) -> None:
    ann = Api(make_app(rate_limits="download=2/minute", redis_url=redis_server.url)).register()
    picture = ann.generate(width=64, height=64)["images"][0]["src"]

    answers = redis_server.while_hanging(lambda: [ann.get(picture).status_code for _ in range(3)])

    assert answers == [200, 200, 429]


def test_https_behind_a_trusted_proxy_makes_cookies_secure_and_stays(make_app: Callable[..., Flask]) -> None:
    app = make_app(trusted_proxies="127.0.0.1")
    https = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "chat.example.org"}

    answer = Api(app).post("/api/auth/register", json={"username": "ann", "password": PASSWORD}, headers=https)

    assert "; Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in Api(app).get("/healthz").headers
