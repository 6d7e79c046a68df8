"""``doctor``, and how every command ends when a setting or the database is missing."""

from __future__ import annotations

from pathlib import Path

from ChatBot import __version__
from tests.cli.conftest import CommandLine


def test_the_doctor_finds_nothing_wrong_with_a_good_installation(chatbot: CommandLine) -> None:
    ran = chatbot("doctor", "--json")

    assert (ran.code, ran.answer["ready"]) == (0, True), ran
    assert ran.answer["database"] == {"ok": True}
    spoken = chatbot("doctor")
    assert spoken.code == 0
    assert "ok   database" in spoken.stdout


def test_a_database_that_does_not_answer_is_4(chatbot: CommandLine) -> None:
    nobody = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300&connectTimeoutMS=300"

    doctor = chatbot("doctor", "--json", MONGODB_URI=nobody)
    stats = chatbot("images", "stats", "--json", MONGODB_URI=nobody)

    assert doctor.code == 4, doctor
    assert doctor.answer["ready"] is False
    assert (stats.code, stats.answer["exit_code"]) == (4, 4), stats
    assert "MONGODB_URI" in stats.answer["error"]
    for ran in (doctor, stats):
        assert "Traceback" not in ran.stderr


def test_a_missing_or_wrong_setting_is_4_and_named(chatbot: CommandLine) -> None:
    wrong: tuple[tuple[str, dict[str, str | None]], ...] = (
        ("SECRET_KEY", {"SECRET_KEY": None}),
        ("IMAGE_MAX_KB", {"IMAGE_MAX_KB": "many"}),
        ("IMAGE_GENERATOR", {"IMAGE_GENERATOR": "no-such-one"}),
    )

    for name, changes in wrong:
        ran = chatbot("images", "stats", "--json", **changes)
        assert (ran.code, ran.answer["exit_code"]) == (4, 4), (name, ran)
        assert name in ran.answer["error"]
        assert name in ran.stderr
        assert "Traceback" not in ran.stderr


def test_settings_may_stand_in_a_file(chatbot: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "settings").write_text(f"SECRET_KEY={chatbot.environment['SECRET_KEY']}\n", encoding="utf-8")

    ran = chatbot("images", "stats", "--json", SECRET_KEY=None, ENV_FILE=str(tmp_path / "settings"))

    assert ran.code == 0, ran


def test_the_version_is_told(chatbot: CommandLine) -> None:
    ran = chatbot("--version")

    assert (ran.code, ran.stdout.strip()) == (0, f"ChatBot, version {__version__}")
