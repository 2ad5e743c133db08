"""The benchmark's ledger and the table made of it."""

from pathlib import Path

from tests.bench.ledger import Ledger
from tests.bench.report import markdown


def filled(file: Path | None = None) -> Ledger:
    ledger = Ledger(file)
    for side, ms in (("exact", 300.0), ("fast", 200.0), ("default", 1200.0), ("tuned", 600.0)):
        ledger.add("times", work="SD1.5 512x512", what="seed changed", side=side, ms=[ms, ms - 50, ms + 50])
    ledger.add("times", work="SD1.5 512x512", what="cold script", side="script", ms=[21_000.0])
    ledger.add("limits", work="SD1.5 512x512", steps=20, call_flops=10**12, decode_flops=0, matmul_flops_per_s=5e14,
               eager_ms=42.0, replay_ms=12.7)  # fmt: skip
    ledger.add("equal", work="SD1.5 512x512", what="seed changed", equal=11, of=12)
    ledger.add("failed", what="SDXL, first", detail="OutOfMemoryError: too much")
    return ledger


def test_a_run_that_was_cut_short_keeps_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.jsonl"
    assert filled(file).rows == Ledger.read(file).rows


def test_ratios_are_of_medians() -> None:
    text = markdown(filled())
    row = next(line for line in text.splitlines() if line.startswith("| seed changed"))
    assert row.split(" | ")[1:5] == ["300 ms (350 ms)", "200 ms (250 ms)", "1200 ms (1250 ms)", "600 ms (650 ms)"]
    assert row.split(" | ")[5:] == ["4.00x / 2.00x", "6.00x / 3.00x |"]


def test_limits_and_what_went_wrong_are_told() -> None:
    text = markdown(filled())
    assert "20 TFLOP a picture" in text.replace("20.0", "20")
    assert "comfyd exact 13%, comfyd fast 20%" in text
    assert "20 x that + 45 ms = 299 ms, exact takes 300 ms (MISSED)" in text
    assert "exact 70x, fast 105x quicker" in text
    assert "11 of 12 exact pictures equal" in text
    assert "FAILED: SDXL, first: OutOfMemoryError: too much" in text
