"""Tables of what is typed, started and set: commands, flows, environment variables; and the list of decisions."""

from __future__ import annotations

from collections.abc import Iterator

import typer
import yaml
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from docs.tables.cells import DOCS, ROOT, Words, code, escape, table
from flows.cli.app import app
from tasks.workspace.settings import Settings


def write_commands(words: Words) -> str:
    """Each command with its options, after a table of all."""
    found = dict(walk(typer.main.get_command(app), "packshot"))
    rows = [
        (f"[`{name}`](#{name.replace(' ', '-')})", escape(one.get_short_help_str(200))) for name, one in found.items()
    ]
    parts = [table(words.header("command", "what"), rows)]
    for name, command in found.items():
        parts += [f"## {name}", escape(command.help or "")]
        options = read_options(command)
        if options:
            parts.append(table(words.header("option", "what", "default"), options))
    return "\n\n".join(parts)


def walk(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    """Every command of a group and its groups, by what is typed."""
    if isinstance(command, TyperGroup):
        for word, inner in command.commands.items():
            yield from walk(inner, f"{name} {word}")
    elif isinstance(command, TyperCommand):
        yield name, command


def read_options(command: TyperCommand) -> list[tuple[str, str, str]]:
    """A command's arguments and options: as they are typed, what they are, and what they are when not given."""
    rows = []
    for one in command.params:
        if isinstance(one, TyperArgument):
            rows.append((code((one.metavar or one.name or "").upper()), escape(one.help or ""), ""))
        elif isinstance(one, TyperOption):
            typed = ", ".join(code(name) for name in (*one.opts, *one.secondary_opts))
            said = one.default is not None and not one.required and not isinstance(one.default, bool)
            rows.append((typed, escape(one.help or ""), code(one.default) if said else ""))
    return rows


def write_flows(words: Words) -> str:
    """The flows that Prefect's page can start, each with its page here."""
    entries = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    return table(
        words.header("flow", "what"), [(f"[{one['name']}]({one['name']}.md)", one["description"]) for one in entries]
    )


def write_settings(words: Words) -> str:
    """The environment variables."""
    rows = []
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or f"PACKSHOT_{name.upper()}")
        default = "" if field.default_factory or field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        rows.append((code(variable), code(default), words.say("settings", variable, field.description or "")))
    return table(words.header("variable", "default", "what"), rows)


def write_decisions(words: Words) -> str:
    """The records of docs/decisions by their titles."""
    found = []
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        number, _, title = path.read_text().split("\n", 1)[0].removeprefix("# ").partition(": ")
        found.append(f"- [{number}]({path.name}): {title}")
    return "\n".join(found)
