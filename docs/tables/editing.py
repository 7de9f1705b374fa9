"""Tables of what edits and checks photographs: operations, markets and their rules."""

from __future__ import annotations

from docs.tables.cells import Words, code, table
from tasks.market.listing import list_markets
from tasks.market.rules import Market, Rule, load_market
from tasks.operations.contract.discovery import list_operations, load_operation


def write_operations(words: Words) -> str:
    """What `packshot edit --op` takes."""
    rows = []
    for name in list_operations():
        kind = load_operation(name)
        answer = "yes" if kind.may_alter_product else "no"
        title = words.say("operations", name, kind.title)
        rows.append((code(name), code(kind.value_field or ""), words.say("answers", answer, answer), title))
    return table(words.header("operation", "`NAME:VALUE` is its", "may alter the product", "what it does"), rows)


def markets() -> dict[str, Market]:
    """The markets that come with Packshot, by name."""
    return {name: load_market(name) for name in list_markets()}


def write_markets(words: Words) -> str:
    """What `packshot check --market` takes."""
    rows = [
        (code(name), words.say("markets", name, market.title), ", ".join(code(rule) for rule in market.rules.named()))
        for name, market in markets().items()
    ]
    return table(words.header("market", "what it is", "rules"), rows)


def write_rules(words: Words) -> str:
    """The rules of each market, with their sources."""
    parts = []
    for market in markets().values():
        rows = [(code(name), describe(rule), explain(rule)) for name, rule in market.rules.named().items()]
        parts += [f"## {market.title}", f"Source: {market.source}."]
        parts += [table(words.header("rule", "asked", "why"), rows)]
    return "\n\n".join(parts)


def describe(rule: Rule) -> str:
    """What a rule asks, as its YAML has it."""
    asked = rule.model_dump(mode="json", exclude={"source", "why"}, exclude_unset=True)
    return "; ".join(f"{name}: {describe_value(value)}" for name, value in asked.items())


def describe_value(value: object) -> str:
    """A value as YAML has it; whole numbers without a point."""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def explain(rule: Rule) -> str:
    """Why a rule is as it is, and its source where that is another than the market's."""
    return ". ".join(part.rstrip(". ") for part in (rule.why, rule.source and f"Source: {rule.source}") if part)
