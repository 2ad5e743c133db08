"""Figures and the table they make."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One comparison: samples in milliseconds of comfyd and of what it is compared with."""

    what: str
    ours: list[float]
    other: list[float]
    other_name: str

    def ratio(self) -> float:
        """How many times as long the other side takes, by medians."""
        return statistics.median(self.other) / statistics.median(self.ours)

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "ours_ms": self.ours, "other": self.other_name, "other_ms": self.other, "ratio": self.ratio()}


def table(rows: Iterable[Row], where: str) -> str:
    """Markdown: median (p95) of both sides and the ratio."""
    lines = [f"Measured on {where}.", "", "| what | comfyd | compared with | | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row.what} | {_figure(row.ours)} | {row.other_name} | {_figure(row.other)} | {row.ratio():.2f}x |")
    return "\n".join(lines)


def _figure(samples: list[float]) -> str:
    ordered = sorted(samples)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    middle = statistics.median(ordered)
    if len(ordered) == 1:
        return f"{_number(middle)}"
    return f"{_number(middle)} (p95 {_number(p95)})"


def _number(milliseconds: float) -> str:
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.2f} ms"
