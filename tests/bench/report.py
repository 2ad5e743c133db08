"""A ledger as the Markdown that stands in the README."""

import statistics
from collections.abc import Iterator

from .ledger import Ledger

_SIDES = {"exact": "comfyd exact", "fast": "comfyd fast", "default": "ComfyUI, default", "tuned": "ComfyUI, tuned"}
_SHARE = {"SD1.5": 45.0, "SDXL": 130.0}
"""Milliseconds that a picture may take beside its model calls."""
_DASH = "—"


def markdown(ledger: Ledger) -> str:
    """Tables and facts, of whatever the ledger has."""
    parts = [*_where(ledger), *_tables(ledger), *_facts(ledger)]
    return "\n".join(parts)


def _where(ledger: Ledger) -> Iterator[str]:
    for row in ledger.of("machine"):
        device = row["gpu"] or "no GPU"
        yield f"Measured on {device}; {row['processor']}, {row['ram_gb']} GB of RAM ({row['ram_free_gb']} GB free); "
        yield f"Python {row['python']}, torch {row['torch']}, ComfyUI {row['comfyui']}."
        yield "Medians (p95) of runs in turn, submit to file on disk, as the client sees them."


def _tables(ledger: Ledger) -> Iterator[str]:
    works = list(dict.fromkeys(row["work"] for row in ledger.of("times")))
    sides = [side for side in _SIDES if any(row["side"] == side for row in ledger.of("times"))]
    for work in works:
        yield ""
        yield f"| {work} | {' | '.join(_SIDES[side] for side in sides)} | exact against default / tuned | fast |"
        yield "|---" * (len(sides) + 3) + "|"
        for what in dict.fromkeys(row["what"] for row in ledger.of("times", work=work)):
            times = {side: ledger.times(work, what, side) for side in sides}
            if sum(map(bool, times.values())) > 1:
                cells = [_figure(times[side]) for side in sides]
                yield f"| {what} | {' | '.join(cells)} | {_ratios(times, 'exact')} | {_ratios(times, 'fast')} |"


def _ratios(times: dict[str, list[float]], ours: str) -> str:
    """How many times as long stock ComfyUI takes, by medians."""
    if not times.get(ours):
        return _DASH
    mine = statistics.median(times[ours])
    ratios = [f"{statistics.median(times[side]) / mine:.2f}x" for side in ("default", "tuned") if times.get(side)]
    return " / ".join(ratios) or _DASH


def _facts(ledger: Ledger) -> Iterator[str]:
    yield ""
    yield from _ready(ledger)
    for limits in ledger.of("limits"):
        yield from _against_limits(ledger, limits)
    for row in ledger.of("times", what="cold script"):
        cold = statistics.median(row["ms"])
        ratios = [
            f"{side} {cold / statistics.median(times):.0f}x"
            for side in ("exact", "fast")
            if (times := ledger.times(row["work"], "seed changed", side))
        ]
        yield f"- {row['work']}, exported script from its start to its picture: {_number(cold)}; {', '.join(ratios)} quicker."
    yield from _first_calls(ledger)
    yield from _pictures(ledger)
    for row in ledger.of("command"):
        yield f"- {row['what']}: {_figure(row['ms'])}."
    for row in ledger.of("failed"):
        yield f"- FAILED: {row['what']}: {row['detail'].strip().splitlines()[-1]}"


def _ready(ledger: Ledger) -> Iterator[str]:
    rows = {row["side"]: row["ms"] for row in ledger.of("ready")}
    if rows:
        yield (
            "- Ready after start: "
            + ", ".join(f"{_SIDES[side]} {' and '.join(map(_number, ms))}" for side, ms in rows.items())
            + "."
        )


def _against_limits(ledger: Ledger, limits: dict[str, object]) -> Iterator[str]:
    work, steps = str(limits["work"]), int(str(limits["steps"]))
    rate = float(str(limits["matmul_flops_per_s"]))
    flops = steps * int(str(limits["call_flops"])) + int(str(limits["decode_flops"]))
    floor = flops / rate * 1000
    used = [
        f"{_SIDES[side]} {floor / statistics.median(times):.0%}"
        for side in _SIDES
        if (times := ledger.times(work, "seed changed", side))
    ]
    yield (
        f"- {work}: {flops / 1e12:.1f} TFLOP a picture at {rate / 1e12:.3g} TFLOP/s (measured) are {_number(floor)}; "
        f"utilisation: {', '.join(used)}."
    )
    if "replay_ms" in limits:
        replay = float(str(limits["replay_ms"]))
        share = next((ms for name, ms in _SHARE.items() if work.startswith(name)), 0.0)
        bound = steps * replay + share
        ours = ledger.times(work, "seed changed", "exact")
        verdict = ""
        if ours:
            verdict = (
                f", exact takes {_number(statistics.median(ours))} ({'holds' if statistics.median(ours) <= bound else 'MISSED'})"
            )
        yield (
            f"- {work}: one model call {_number(float(str(limits['eager_ms'])))} eagerly, {_number(replay)} as a graph; "
            f"{steps} x that + {share:.0f} ms = {_number(bound)}{verdict}."
        )


def _first_calls(ledger: Ledger) -> Iterator[str]:
    for row in ledger.of("times", side="exact"):
        if "submit to first" in row["what"]:
            half, most = (_number(_quantile(row["ms"], share)) for share in (0.5, 0.99))
            yield f"- {row['work']}, {row['what']}: p50 {half}, p99 {most} ({len(row['ms'])} runs)."


def _pictures(ledger: Ledger) -> Iterator[str]:
    for row in ledger.of("equal"):
        yield f"- {row['work']}, {row['what']}: {row['equal']} of {row['of']} exact pictures equal ComfyUI's own bit for bit."
    for row in ledger.of("psnr"):
        yield f"- {row['work']}, {row['what']}: fast against exact at least {row['worst']:.1f} dB ({row['of']} pictures)."
    made = {row["made"] for row in ledger.of("times", side="fast") if "made" in row}
    if made - {"fast"}:
        yield "- Jobs asked to be fast were made " + ", ".join(sorted(made)) + "."


def _quantile(samples: list[float], share: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def _figure(samples: list[float]) -> str:
    if not samples:
        return _DASH
    middle = _number(statistics.median(samples))
    return middle if len(samples) == 1 else f"{middle} ({_number(_quantile(samples, 0.95))})"


def _number(milliseconds: float) -> str:
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.2f} ms"
