"""The flows `promote` and `rollback`: a person moves a slot's champion."""

from __future__ import annotations

import getpass
from typing import Annotated

from prefect import flow
from pydantic import Field

from tasks.leaderboard.page import publish_leaderboard
from tasks.promotion.moves import Move, make_champion, restore_champion
from tasks.workspace.settings import Settings

Slot = Annotated[str, Field(description="such as generate-fashion-mnist")]
Why = Annotated[str, Field(min_length=1, description="goes to the ledger")]


@flow(name="promote", flow_run_name="{slot}")
def promote(
    slot: Slot = "generate-fashion-mnist",
    version: Annotated[int | None, Field(ge=1, description="the challenger when empty")] = None,
    why: Why = "promoted by a person",
) -> Move:
    """Make a version the slot's champion."""
    settings = Settings()
    move = make_champion(settings, slot, version, who=getpass.getuser(), why=why)
    publish_leaderboard(settings, slot)
    return move


@flow(name="rollback", flow_run_name="{slot}")
def rollback(slot: Slot = "generate-fashion-mnist", why: Why = "rolled back by a person") -> Move:
    """Restore the slot's previous champion."""
    settings = Settings()
    move = restore_champion(settings, slot, who=getpass.getuser(), why=why)
    publish_leaderboard(settings, slot)
    return move
