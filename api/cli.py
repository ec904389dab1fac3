"""``p2c``: everything that people and scripts can ask of a ledger from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

OK = 0
FOUND = 1
USAGE = 2
UNAVAILABLE = 3
INTERRUPTED = 130

_EXIT_CODES = "Exit codes: 0 done, 1 failed or something found, 2 wrong usage or settings, 3 servers out of reach."

app = typer.Typer(
    name="p2c",
    help="The project-to-cash ledger: what the source systems tell, decided once, recorded once, replayable.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Write JSON for scripts instead of a table.")]
Position = Annotated[int | None, typer.Option(min=0, help="As of this position.", show_default=False)]
RecordedAt = Annotated[
    str | None, typer.Option(help="As of this time, with its zone: 2026-03-31T23:59:59Z.", show_default=False)
]


def command(panel: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command of ``p2c``, listed among those of its panel, with the exit codes below its help."""
    return app.command(rich_help_panel=panel, epilog=_EXIT_CODES)


def implementation(name: str) -> Any:
    """The module that does the work of a command; imported only when it is given, so that help is quick."""
    return import_module(f"api.commands.{name}")


@command("Run")
def up(
    sample: Annotated[bool, typer.Option(help="Load the sample firm on the first run.")] = True,
) -> None:
    """Run everything on this machine until Ctrl-C: servers, all roles, and the sample firm on the first run."""
    from api.running.forking import warm_up

    warm_up()  # first, for everybody waits for it
    implementation("up").run(sample=sample)


@command("Run")
def serve() -> None:
    """Answer GraphQL, health checks and service requests until Ctrl-C."""
    implementation("role").run("serve")


@command("Run")
def ingest() -> None:
    """Decide what the source systems tell and record it until Ctrl-C."""
    implementation("role").run("ingest")


@command("Run")
def project() -> None:
    """Keep the read models current until Ctrl-C."""
    implementation("role").run("project")


@command("Run")
def automate() -> None:
    """Act on what has happened, each event exactly once, until Ctrl-C."""
    implementation("role").run("automate")


@command("Run")
def schedule() -> None:
    """Say which day it is, so that what is set for a day happens, until Ctrl-C."""
    implementation("role").run("schedule")


@command("Run")
def relay() -> None:
    """Hand the outgoing work of the ledger to the broker until Ctrl-C."""
    implementation("role").run("relay")


@command("Run")
def connect() -> None:
    """Carry outgoing work to PSA and ERP, and report what they answer, until Ctrl-C."""
    implementation("role").run("connect")


@command("Feed")
def publish(
    file: Annotated[Path, typer.Argument(help="One message in a line: a CloudEvents envelope or a bare payload.")],
    subject: Annotated[
        str | None, typer.Option(help="Where bare payloads go: p2c.in.<system>.<object>.<verb>.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Publish the messages of a file to the intake of the ledger, each acknowledged by the broker."""
    implementation("publish").run(file=file, subject=subject, json=json)


@command("Feed")
def refeed(json: Json = False) -> None:
    """Hear again all that the broker keeps, after the database was restored; what is known counts as repeated."""
    implementation("refeed").run(json=json)


@command("Feed")
def policies(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Tax packs; by default all that come with the ledger.")
    ] = None,
    json: Json = False,
) -> None:
    """Publish tax packs and billing calendars as facts; what was published before is left alone."""
    implementation("policies").run(files=files or [], json=json)


@command("Feed")
def simulate(
    seed: Annotated[int, typer.Option(help="The same seed makes the same firm.")] = 1,
    consultants: Annotated[int, typer.Option(min=1, max=10_000, help="How many people log time.")] = 60,
    months: Annotated[int, typer.Option(min=1, max=120, help="How long the firm's history is.")] = 6,
    engagements: Annotated[
        int | None, typer.Option(min=1, max=5_000, help="How many run at a time; by default 5 for 12 people.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file, one message in a line.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish to the intake of the ledger.")] = False,
    rate: Annotated[int | None, typer.Option(min=1, help="Publish at most so many messages per second.")] = None,
    json: Json = False,
) -> None:
    """Stream a sample firm of any size as its vendors' messages: to a file, to the ledger, or to standard output."""
    implementation("simulate").run(
        seed=seed,
        consultants=consultants,
        months=months,
        engagements=engagements,
        out=out,
        publish=publish,
        rate=rate,
        json=json,
    )


@command("Books")
def rebuild(json: Json = False) -> None:
    """Fill a new generation of read models beside the live one, compare them, and switch over."""
    implementation("rebuild").run(json=json)


@command("Books")
def replay(
    position: Position = None,
    recorded_at: RecordedAt = None,
    json: Json = False,
) -> None:
    """Fold the whole record again up to a position or a time, and show the books as they were then."""
    implementation("replay").run(position=position, recorded_at=recorded_at, json=json)


@command("Books")
def verify(json: Json = False) -> None:
    """Prove that the books follow from the record, and name every object that breaks a rule."""
    implementation("verify").run(json=json)


@command("Books")
def export(
    what: Annotated[str, typer.Argument(help="journal")],
    form: Annotated[str, typer.Option("--format", help="beancount, which bean-check proves; or csv.")] = "beancount",
    out: Annotated[Path | None, typer.Option(help="Write to this file, or to standard output.")] = None,
    position: Position = None,
    recorded_at: RecordedAt = None,
) -> None:
    """Write the journal for others to check: every posting, and what the accounts come to."""
    implementation("export").run(what=what, form=form, out=out, position=position, recorded_at=recorded_at)


@command("Books")
def document(
    name: Annotated[str, typer.Argument(help="An issued invoice or credit note, by its number or its id.")],
    out: Annotated[Path | None, typer.Option(help="Write to this file, or to standard output.")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="pdf, xml (UBL), cii.xml or facturx.pdf; by default as the file is called."),
    ] = None,
) -> None:
    """Write an issued invoice or credit note as its customer gets it."""
    implementation("document").run(name=name, out=out, form=form)


@command("Look")
def systems(json: Json = False) -> None:
    """Show the known source and target systems, the servers, and how far each consumer is behind."""
    implementation("systems").run(json=json)


@command("Look")
def doctor(json: Json = False) -> None:
    """Check versions, database, broker, disk and clock against what the ledger's guarantees rest on."""
    implementation("doctor").run(json=json)


@command("Look")
def token(
    role: Annotated[str, typer.Argument(help="For example viewer, finance-approver or auditor.")],
    hours: Annotated[int, typer.Option(min=1, max=24 * 365, help="How long it is valid.")] = 12,
) -> None:
    """Make a local access token for a role and print it."""
    implementation("token").run(role=role, hours=hours)


@command("Build")
def schema(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if a file is old.")] = False,
) -> None:
    """Write the generated reference: GraphQL schema, AsyncAPI document, JSON Schemas, events and refusals."""
    implementation("schema").run(check=check)


@command("Build")
def bench(
    size: Annotated[str, typer.Option(help="full; or small, a run of seconds to prove that it works.")] = "full",
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = Path("build/bench.json"),
) -> None:
    """Measure the ledger against the stock library and the ceilings of PostgreSQL and NATS, side by side."""
    implementation("bench").run(size=size, out=out)


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a problem that people can solve is one message and an exit code, never a traceback."""
    try:
        app(arguments)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as problem:
        known = _exit_code(problem)
        if known is None:
            raise
        sys.stderr.write(f"p2c: {_message(problem)}\n")
        sys.exit(known)


def _exit_code(problem: Exception) -> int | None:
    """What a problem means to a script; None for a defect, which shows its traceback."""
    by_name = {
        "SettingsInvalid": USAGE,
        "PortInUse": USAGE,
        "HomeInUse": USAGE,
        "Refused": FOUND,
        "JobFailed": FOUND,
        "ServerFailed": UNAVAILABLE,
        "DatabaseProblem": UNAVAILABLE,
        "LedgerUnreachable": UNAVAILABLE,
        "NoServersError": UNAVAILABLE,
        "OperationalError": UNAVAILABLE,
    }
    names = (kind.__name__ for kind in type(problem).__mro__)
    return next((by_name[name] for name in names if name in by_name), None)


def _message(problem: Exception) -> str:
    from adapters.logs import hide_passwords

    fix = getattr(problem, "fix", "")
    return hide_passwords(f"{problem}\n{fix}" if fix else str(problem))


if __name__ == "__main__":
    main()
