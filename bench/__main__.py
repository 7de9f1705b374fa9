"""Run measurements and write `docs/benchmarks.md`: `python -m bench [speed|super_resolution|quality|page ...]`."""

from __future__ import annotations

import argparse
import os
from typing import Any

from bench.photographs import WHAT_TO_SET
from bench.results import save

SHORT = ("speed", "sampling", "memory")
OF_PHOTOGRAPHS = ("super_resolution", "enlarging", "inpainting", "colorizing", "style", "editing", "batch")
"""What is measured unless something is named; about half an hour, most of it with the photographs."""


def main() -> None:
    """Parse the command line, measure what it names, and write the page anew."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"which measurements; otherwise {', '.join(SHORT + OF_PHOTOGRAPHS)}")
    parser.add_argument("--family", default="sngan", help="quality, equal: the family held against the textbook")
    parser.add_argument("--minutes", type=float, default=60.0, help="quality: its training time on half of the cores")
    parser.add_argument("--epochs", type=int, default=3, help="quality: the textbook's epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], help="quality, equal: name=value of the recipe")
    arguments = parser.parse_args()
    for what in arguments.what or choose():
        if what != "page":
            name, figures = measure(what, arguments)
            print(save(name, figures).read_text())
    from bench.page import write_page

    print(write_page())


def choose() -> tuple[str, ...]:
    """What is measured unless something is named: less where no photographs are, which is said."""
    if os.environ.get("PACKSHOT_PHOTOS"):
        return SHORT + OF_PHOTOGRAPHS
    print(f"left out: {', '.join(OF_PHOTOGRAPHS)}; to measure them, set PACKSHOT_PHOTOS to {WHAT_TO_SET}")
    return SHORT


def measure(what: str, arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The result's name and figures of one measurement."""
    from bench import (
        batch,
        colorizing,
        editing,
        enlarging,
        equal,
        inpainting,
        likelihood,
        memory,
        quality,
        sampling,
        speed,
        style,
        super_resolution,
    )
    from tasks.workspace.parameters import parse_changes

    if what == "quality":
        changes = parse_changes(arguments.set)
        found = quality.measure(arguments.family, changes, arguments.seed, arguments.minutes, arguments.epochs)
        return f"quality-{arguments.family}-seed{arguments.seed}", found
    if what == "equal":
        found = equal.measure(arguments.family, parse_changes(arguments.set), arguments.seed)
        return f"equal-{arguments.family}-seed{arguments.seed}", found
    modules = {"speed": speed, "sampling": sampling, "memory": memory, "likelihood": likelihood}
    modules |= {
        "super_resolution": super_resolution,
        "enlarging": enlarging,
        "inpainting": inpainting,
        "colorizing": colorizing,
    }
    modules |= {"style": style, "editing": editing, "batch": batch}
    if what not in modules:
        raise SystemExit(f"error: what: got {what!r}, allowed: {', '.join([*modules, 'quality', 'equal', 'page'])}")
    return what, modules[what].measure()


if __name__ == "__main__":
    main()
