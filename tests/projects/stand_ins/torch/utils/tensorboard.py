"""Scalars for TensorBoard, written by TensorBoard's own writer."""

from __future__ import annotations

import time

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class SummaryWriter:
    def __init__(self, log_dir: str) -> None:
        self.writer = EventFileWriter(str(log_dir))

    def add_scalar(self, tag: str, value: float, global_step: int) -> None:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        self.writer.add_event(Event(wall_time=time.time(), step=global_step, summary=summary))

    def close(self) -> None:
        self.writer.close()
