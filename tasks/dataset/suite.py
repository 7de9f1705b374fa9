"""One table judged by one Great Expectations suite, with Data Docs of every run of it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.outlets.markup import from_html, to_html
from tasks.workspace.storage import storage_errors

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # values that Data Docs show of each failed expectation
INDEX = ["row", "sku", "file"]


@dataclass(frozen=True)
class ExpectationResult:
    """The result of one expectation: `rows` are the failing ones, empty when it passed or concerns the whole table."""

    type: str
    column: str
    expected: str
    found: str
    passed: bool
    observed: str
    rows: tuple[int, ...]
    may_set_aside: bool


class Suite:
    """Judges tables that have the columns `row`, `sku` and `file` by one suite, in memory.

    Only the Data Docs are written, as HTML under `docs` when `write_docs` is called.
    """

    def __init__(self, suite: Mapping[str, Any], asset: str, docs: Path) -> None:
        import great_expectations as gx
        from great_expectations.core import ExpectationSuite
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        self.docs = docs
        self._context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(),
                data_docs_sites={"packshot": _site(docs)},
                progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
                analytics_enabled=False,
            ),
        )
        batches = self._context.data_sources.add_pandas("catalogue").add_dataframe_asset(asset)
        definition = gx.ValidationDefinition(
            name=asset,
            data=batches.add_batch_definition_whole_dataframe("all"),
            suite=self._context.suites.add(ExpectationSuite(**suite)),
        )
        self._checkpoint = gx.Checkpoint(
            name=asset,
            validation_definitions=[self._context.validation_definitions.add(definition)],
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": INDEX,
                "partial_unexpected_count": SHOWN,
            },
        )
        self._context.checkpoints.add(self._checkpoint)

    def judge(self, table: pd.DataFrame, run: str) -> list[ExpectationResult]:
        """One result per expectation, in the suite's order; `run` names this validation in the Data Docs.

        The Data Docs show values of the table as HTML, so Great Expectations is given them escaped.
        """
        from great_expectations.core.run_identifier import RunIdentifier

        shown = table.map(lambda value: to_html(value) if isinstance(value, str) else value)
        result = self._checkpoint.run(batch_parameters={"dataframe": shown}, run_id=RunIdentifier(run_name=run))
        (judged,) = result.run_results.values()
        return [_read_result(one.to_json_dict()) for one in judged.results]

    def write_docs(self) -> Path:
        """Rewrite the Data Docs of all runs; returns their index page.

        Raises:
            StorageError: the folder cannot be written.
        """
        with storage_errors(self.docs):
            if self.docs.exists():
                shutil.rmtree(self.docs)
            self._context.build_data_docs()
        return self.docs / "index.html"


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "show_how_to_buttons": False,
    }


def _read_result(judged: dict[str, Any]) -> ExpectationResult:
    asked, result = judged["expectation_config"], judged["result"]
    kind, meta, passed = str(asked["type"]), asked["meta"], bool(judged["success"])
    return ExpectationResult(
        type=kind,
        column=str(asked["kwargs"].get("column", "")),
        expected=str(asked.get("description") or kind),
        found=str(meta.get("found", "")),
        passed=passed,
        observed=from_html(_read_error(judged["exception_info"]) or _read_observed(result)),
        rows=() if passed else tuple(int(row["row"]) for row in result.get("unexpected_index_list") or ()),
        may_set_aside=bool(meta.get("quarantine", True)),
    )


def _read_error(info: dict[str, Any]) -> str:
    """The message of an expectation that could not be judged: GX gives one message, or one for each metric."""
    nested = [info] if "raised_exception" in info else list(info.values())
    return "; ".join(sorted({str(one["exception_message"]) for one in nested if one["raised_exception"]}))


def _read_observed(result: dict[str, Any]) -> str:
    if "unexpected_percent" in result:
        return f"{result['unexpected_count']:,} of {result['element_count']:,} failed"
    for name, where in (("missing", result.get("details", {}).get("mismatched", {})), ("partial_missing_list", result)):
        if where.get(name):
            return "missing: " + ", ".join(str(value) for value in where[name])
    return str(result.get("observed_value") or "")
