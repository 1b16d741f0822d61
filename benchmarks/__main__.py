"""`make bench`: every benchmark once, a table on the terminal, benchmarks/results.json.

Figures are ratios within one run or whole-process numbers; absolute times belong to the machine
named in the file.
"""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import (
    assess_subject,
    outline_graft,
    read_series,
    register_visit,
    save_reads,
    start,
    viewer,
)

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run all benchmarks one after the other."""
    figures = {
        module.__name__.rpartition(".")[2]: module.measure()
        for module in (
            start,
            read_series,
            register_visit,
            assess_subject,
            outline_graft,
            save_reads,
            viewer,
        )
    }
    machine = f"{os.cpu_count()} cores, {platform.machine()}, CPython {platform.python_version()}"
    date = datetime.now(UTC).date().isoformat()
    RESULTS.write_text(json.dumps({"date": date, "machine": machine, **figures}, indent=2) + "\n")
    table = Table(title=f"{date}, {machine}")
    for heading in ("benchmark", "figure", "value"):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for name, values in figures.items():
        for figure, value in values.items():
            table.add_row(name, figure, f"{value:.3g}")
    Console().print(table)


if __name__ == "__main__":
    main()
