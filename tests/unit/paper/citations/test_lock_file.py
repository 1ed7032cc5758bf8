"""The lock file: answers that were fetched once, for builds without a network. Nobody else's are believed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from citing_run import MEASURED, CitingRun

from flagstone.errors import FlagstoneError

OFFLINE = {"network": False}


def lock_of(citing: CitingRun) -> Path:
    return citing.run.root / "paper" / "refs.lock.json"


def edit(path: Path, change: Any) -> None:
    value = json.loads(path.read_text())
    change(value["answers"])
    path.write_text(json.dumps(value))


def test_a_build_without_a_network_rests_on_the_lock_file(citing: CitingRun) -> None:
    online = citing.row(**MEASURED)
    asked = len(citing.server.asked)
    assert citing.row(settings=OFFLINE, **MEASURED) == online
    assert len(citing.server.asked) == asked
    for row in json.loads(lock_of(citing).read_text())["answers"].values():
        assert set(row) == {"status", "at", "sha256", "body"}


def test_without_a_network_and_a_lock_file_nothing_is_verified(citing: CitingRun) -> None:
    row = citing.row(settings=OFFLINE, **MEASURED)
    assert row.status == "UNREACHABLE"
    assert "the network is off, and the lock file does not hold its answer" in row.message


def test_an_answer_that_was_changed_is_not_believed(citing: CitingRun) -> None:
    citing.row(**MEASURED)

    def forge(answers: dict[str, Any]) -> None:
        row = answers["crossref /works/10.1038%2Fnphys1170"]
        row["body"] = row["body"].replace("Measured", "Invented")

    edit(lock_of(citing), forge)
    citing.request({"key": "work", **MEASURED, "title": "Invented measurement"})
    found = citing.references("work", network=False)
    assert found.rows[0].status == "UNREACHABLE"
    assert "“crossref /works/10.1038%2Fnphys1170” is not what was fetched; not used" in found.checks[0].message


def test_a_lock_file_that_an_agent_wrote_into_the_workspace_counts_for_nothing(citing: CitingRun) -> None:
    citing.row(**MEASURED)
    forged = citing.run.workspace / "literature" / "refs.lock.json"
    os.replace(lock_of(citing), forged)
    assert citing.row(settings=OFFLINE, **MEASURED).status == "UNREACHABLE"
    assert json.loads(forged.read_text()) == json.loads(lock_of(citing).read_text())


def test_records_made_by_hand_that_stand_in_the_lock_file_count_only_while_a_setting_names_them(
    citing: CitingRun, tmp_path: Path
) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "answers.json").write_text(json.dumps({"answers": citing.server.answers}))
    records = {"records": str(tmp_path / "records"), "network": False}
    row = citing.row(settings=records, **MEASURED)
    assert (row.status, row.hand_made) == ("VERIFIED", True)
    assert json.loads(lock_of(citing).read_text())["hand_made"] is True
    assert citing.row(settings=OFFLINE, **MEASURED).status == "UNREACHABLE"
    assert citing.row(**MEASURED).hand_made is False
    assert json.loads(lock_of(citing).read_text())["hand_made"] is False


def test_what_rests_on_records_made_by_hand_says_so(citing: CitingRun, tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps({"answers": citing.server.answers}))
    citing.request({"key": "work", **MEASURED})
    found = citing.references("work", records=str(tmp_path))
    assert "checked against records that were made by hand (citations.records)" in found.checks[0].message
    assert found.as_record()["hand_made"] is True
    assert found.notice
    assert not citing.server.asked


def test_an_agent_cannot_make_records_that_count(citing: CitingRun) -> None:
    folder = citing.run.workspace / "literature"
    folder.mkdir(parents=True)
    (folder / "answers.json").write_text(json.dumps({"answers": citing.server.answers}))
    (citing.run.root / "linked").symlink_to(folder)
    for named in ("workspace/literature", "./workspace/../workspace/literature", "linked", str(folder)):
        with pytest.raises(FlagstoneError, match="where agents write"):
            citing.row(settings={"records": named}, **MEASURED)


def test_records_that_cannot_be_read_are_an_error_of_the_settings(citing: CitingRun, tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="holds no records of citations"):
        citing.row(settings={"records": str(tmp_path)}, **MEASURED)


def test_refresh_asks_again(citing: CitingRun) -> None:
    citing.row(**MEASURED)
    asked = len(citing.server.asked)
    citing.row(**MEASURED)
    assert len(citing.server.asked) == asked
    citing.row(refresh=True, **MEASURED)
    assert len(citing.server.asked) == 2 * asked


def test_what_cannot_be_refreshed_keeps_its_old_answer_for_builds_without_a_network(citing: CitingRun) -> None:
    citing.row(**MEASURED)
    assert citing.row(refresh=True, settings=OFFLINE, **MEASURED).status == "UNREACHABLE"
    assert citing.row(settings=OFFLINE, **MEASURED).status == "VERIFIED"


def test_looking_up_again_writes_nothing(citing: CitingRun) -> None:
    citing.row(**MEASURED)
    before = lock_of(citing).stat()
    citing.row(**MEASURED)
    after = lock_of(citing).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "content", [b"\x00\xff\xfe", b"[]", b"{}", b'{"answers": 3}', b'{"answers": {"a b": 3}}', b"[" * 9999]
)
def test_a_lock_file_that_is_none_is_named_and_everything_asked_again(citing: CitingRun, content: bytes) -> None:
    lock_of(citing).parent.mkdir(parents=True)
    lock_of(citing).write_bytes(content)
    citing.request({"key": "work", **MEASURED})
    found = citing.references("work")
    assert found.rows[0].status == "VERIFIED"
    assert "refs.lock.json" in found.checks[0].message


def test_an_answer_that_was_kept_but_cannot_be_read_is_asked_for_again(citing: CitingRun) -> None:
    citing.row(**MEASURED)

    def spoil(answers: dict[str, Any]) -> None:
        from flagstone.records import digest_bytes

        answers["doi.org /doiRA/10.1038%2Fnphys1170"] |= {"body": "[]", "sha256": digest_bytes(b"[]")}

    edit(lock_of(citing), spoil)
    assert citing.row(**MEASURED).status == "VERIFIED"
