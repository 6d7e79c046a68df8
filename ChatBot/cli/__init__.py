"""The command line: one group, one file per noun; ``serve`` is what runs without a command."""

from __future__ import annotations

import json
import sys
from typing import NoReturn

import click
import structlog

from ChatBot import __version__
from ChatBot.cli.audit import audit
from ChatBot.cli.doctor import doctor
from ChatBot.cli.hosts import hosts
from ChatBot.cli.images import images
from ChatBot.cli.output import exit_code_of
from ChatBot.cli.serve import serve, worker
from ChatBot.cli.shares import shares
from ChatBot.cli.users import users
from ChatBot.errors import ChatBotError
from ChatBot.logs import log_to_stderr, log_what_nobody_catches

log = structlog.get_logger(__name__)

COMMANDS = (serve, worker, images, users, shares, hosts, audit, doctor)

EXIT_UNEXPECTED = 1
EXIT_INTERRUPTED = 130


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ChatBot")
@click.pass_context
def group(context: click.Context) -> None:
    """A self-hosted chat that makes pictures and never loses them. Without a command it serves.

    Exit codes: 0 ok, 1 unexpected, 2 wrong usage, 3 finished with failed items, 4 a dependency or setting is missing,
    130 interrupted.
    """
    if context.invoked_subcommand is None:
        context.invoke(serve)


for command in COMMANDS:
    group.add_command(command)


def main() -> None:
    """Run the command line and exit with its code."""
    log_to_stderr()
    log_what_nobody_catches()
    try:
        result = group.main(prog_name="python -m ChatBot", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("It was interrupted.", EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        _fail(error.format_message(), error.exit_code)
    except ChatBotError as error:
        click.echo(str(error), err=True)
        _fail(str(error), exit_code_of(error))
    except Exception:
        log.exception("command.broke")
        _fail("Something unexpected happened; standard error has the details.", EXIT_UNEXPECTED)


def _fail(sentence: str, exit_code: int) -> NoReturn:
    """End with an exit code; whoever asked for JSON reads an object also when the command could not even be parsed."""
    if "--json" in sys.argv:
        click.echo(json.dumps({"error": sentence, "exit_code": exit_code}))
    sys.exit(exit_code)
