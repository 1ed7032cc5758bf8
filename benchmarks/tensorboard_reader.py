"""The last value of a tag among a million scalars, against reading the bytes and against TensorBoard's own reader."""

from __future__ import annotations

import struct
import tempfile
import time
from pathlib import Path

from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place
from flagstone.metrics.wire import masked_crc
from measured.rounds import promise, seconds, show, take_turns

SCALARS = 1_000_000
TAGS = (b"train/loss", b"val/loss")
LIMIT = 2.0


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        folder = Path(name)
        path = folder / "events.out.tfevents.0000000000.bench"
        path.write_bytes(b"".join(record(step) for step in range(SCALARS)))
        place = Place(folder, folder / "run.log", time.time() - 600, time.time() + 600)
        tag = TAGS[1].decode()
        assert read_metrics("tensorboard", {}, place, [tag]).values[tag] == SCALARS - 1
        found = take_turns(
            {
                "reading the bytes": lambda: seconds(path.read_bytes),
                "ours": lambda: seconds(lambda: read_metrics("tensorboard", {}, place, [tag])),
            },
            5,
        )
        show(found, "reading the bytes")
        ours = sorted(found["ours"])[2]
        promise("ours / reading the bytes", ours / sorted(found["reading the bytes"])[2], LIMIT, "×")
        peer = seconds(lambda: last_by_tensorboard(folder, tag))
        print(f"TensorBoard's EventAccumulator {peer:.2f} s, {peer / max(ours, 1e-9):.0f} × ours")


def record(step: int) -> bytes:
    """One event with one scalar, as TensorBoard's writers leave it."""
    tag = TAGS[step % 2]
    value = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", step)
    summary = b"\x0a" + bytes([len(value)]) + value
    event = b"\x09" + struct.pack("<d", step) + b"\x10" + varint(step) + b"\x2a" + bytes([len(summary)]) + summary
    head = struct.pack("<Q", len(event))
    if len(event) not in HEADS:
        HEADS[len(event)] = masked_crc(head)
    return head + struct.pack("<I", HEADS[len(event)]) + event + struct.pack("<I", masked_crc(event))


HEADS: dict[int, int] = {}


def varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def last_by_tensorboard(folder: Path, tag: str) -> float:
    """What TensorBoard finds. It reads everything."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(folder), size_guidance={"scalars": 1})
    reader.Reload()
    return float(reader.Scalars(tag)[-1].value)


if __name__ == "__main__":
    main()
