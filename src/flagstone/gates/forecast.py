"""For a dry run: what a real call would change in the gates before it builds anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flagstone.gates.content import Content
from flagstone.gates.history import kept_record
from flagstone.gates.judge import judge_gate, may_policy_approve
from flagstone.gates.moment import Flag, Moment, StageFiles
from flagstone.layout import Run
from flagstone.seals import Seal
from flagstone.stages import Stage


def forecast(run: Run, moment: Moment, policy: Callable[[Stage], str]) -> tuple[Moment, list[str]]:
    """The moment with requests taken back and policies applied, and what was done, one sentence each."""
    said = []
    for stage in moment.table:
        verdict = judge_gate(moment, stage)
        files = verdict.files
        if verdict.is_recalled:
            files = without_request(run, files)
            said.append(f"the request to stage {stage.nr} would be taken back: attempt {verdict.attempt} counts")
        elif may_policy_approve(verdict) and (rule := policy(stage)):
            files = with_approval(files, moment.now_ns)
            said.append(f"stage {stage.nr} {stage.name} would be approved by policy ({rule})")
        moment = replace(moment, stages={**moment.stages, stage.nr: files})
    return moment, said


def without_request(run: Run, files: StageFiles) -> StageFiles:
    """The stage after its last version was brought back, and the request for another one taken away."""
    assert files.publication is not None
    kept = kept_record(run, files).get("files")
    content = Content(kept, files.content.index) if kept and files.content else files.content
    return replace(files, content=content, feedback=None, redo=files.publication.turn.redo)


def with_approval(files: StageFiles, now_ns: int) -> StageFiles:
    """The stage after a policy approved what it offers."""
    assert files.content is not None
    content, flag = files.content, Flag(now_ns, now_ns)
    seal = Seal("approved", files.stage.nr, digest=content.digest, files=content.files, index=content.index)
    seal = replace(seal, settings=files.settings, flag_mtime_ns=now_ns)
    return replace(files, flag=flag, decisions=(*files.decisions, seal))
