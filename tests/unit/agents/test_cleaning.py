"""Whatever an agent leaves in its folder: secrets go, the finished call stays, and it costs little."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stand_in import INIT, SUCCESS, StandIn

from flagstone.agents.cleaning import PART, SMALL, Cleaning
from flagstone.agents.conversation import SessionFolder
from flagstone.agents.protocol import AgentCall, CallOutcome
from flagstone.processes.secrets import Redactor

SECRET = b"not-a-real-secret-000"
REDACTOR = Redactor({SECRET: "A_KEY"})
Asked = Callable[..., AgentCall]


def clean(root: Path) -> None:
    Cleaning(REDACTOR).clean(root)


def test_secrets_are_taken_out_of_small_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x " + SECRET + b" y")
    clean(tmp_path)
    assert (tmp_path / "a" / "b").read_bytes() == b"x [redacted A_KEY] y"
    assert os.listdir(tmp_path / "a") == ["b"]


def test_in_a_large_file_they_are_written_over_also_where_two_parts_meet(tmp_path: Path) -> None:
    at = [0, PART - 5, 3 * PART + 7, SMALL + 4000]
    content = bytearray(os.urandom(1000) * (SMALL // 1000 + 5))
    for start in at:
        content[start : start + len(SECRET)] = SECRET
    (tmp_path / "large").write_bytes(content)
    clean(tmp_path)
    assert (tmp_path / "large").read_bytes() == content.replace(SECRET, b"*" * len(SECRET))


def bytes_read() -> int:
    """How much this process has read from files so far."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])


def test_of_a_file_with_holes_only_what_is_written_is_read_and_little_at_once(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as stream:
        stream.truncate(50_000_000_000)
        stream.seek(40_000_000_000)
        stream.write(SECRET)
    before, read = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, bytes_read()
    clean(tmp_path)
    assert bytes_read() - read < 10_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    with open(tmp_path / "sparse", "rb") as stream:
        stream.seek(40_000_000_000)
        assert stream.read(len(SECRET)) == b"*" * len(SECRET)


def test_a_tree_deeper_than_any_path_is_cleaned_to_its_end(tmp_path: Path) -> None:
    code = f"""import os
for _ in range(3000):
    os.mkdir("deeper"); os.chdir("deeper")
open("x", "wb").write({SECRET!r})"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    clean(tmp_path)
    found = subprocess.run(["grep", "-rc", SECRET.decode(), "."], cwd=tmp_path, capture_output=True, text=True)
    assert found.stdout.strip().endswith(":0")
    subprocess.run(["rm", "-rf", str(tmp_path / "deeper")], check=True)


def test_links_are_not_followed_and_files_with_a_second_name_not_touched(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "room"
    outside.mkdir()
    folder.mkdir()
    (outside / "mine").write_bytes(SECRET)
    (outside / "other").write_bytes(SECRET)
    (folder / "link").symlink_to(outside / "mine")
    (folder / "folder").symlink_to(outside)
    os.link(outside / "other", folder / "second")
    os.mkfifo(folder / "pipe")
    clean(folder)
    assert (outside / "mine").read_bytes() == (outside / "other").read_bytes() == SECRET


AS_SOMEBODY = """
import os, sys
from pathlib import Path
from flagstone.agents.cleaning import Cleaning
from flagstone.processes.secrets import Redactor
Redactor({}).clean(b"")
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
root = Path(sys.argv[1])
for name, mode in (("closed", 0o000), ("fixed", 0o500)):
    (root / name).mkdir()
    (root / name / "s").write_bytes(sys.argv[2].encode())
    (root / name / "s").chmod(0o000)
    (root / name).chmod(mode)
Cleaning(Redactor({sys.argv[2].encode(): "A_KEY"})).clean(root)
print([(root / name / "s").read_bytes() for name in ("closed", "fixed")])
"""


def test_what_was_closed_to_its_owner_is_opened_and_cleaned(tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        words = [sys.executable, "-c", AS_SOMEBODY, folder, SECRET.decode()]
        env = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        done = subprocess.run(words, capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "[b'[redacted A_KEY]', b'[redacted A_KEY]']", done.stderr


@pytest.mark.parametrize(
    "rubbish",
    [
        "i=0; while [ $i -lt 1500 ]; do mkdir d; cd d; i=$((i+1)); done",
        "mkfifo p; ln -s /dev/zero z; ln -s . self; mkdir q; echo not-a-real-key-000 > q/s; chmod 500 q; chmod 0 q/s",
        "truncate -s 40G sparse",
    ],
)
def test_a_finished_call_is_never_lost_by_what_was_left_behind(cli: StandIn, asked: Asked, rubbish: str) -> None:
    cli.says(INIT, SUCCESS, then=f"cd $TMPDIR; {rubbish}; exit 0")
    call = asked()
    assert cli.answer(call, grace_s=30).outcome is CallOutcome.OK
    subprocess.run(["rm", "-rf", str(SessionFolder.of(call).temporary)], check=True)


def test_a_second_name_that_shows_a_secret_is_removed_and_the_file_stays(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "room"
    folder.mkdir()
    outside.write_bytes(SECRET)
    os.link(outside, folder / "second")
    clean(folder)
    assert (outside.read_bytes(), os.listdir(folder)) == (SECRET, [])


def test_a_secret_in_the_name_of_a_file_is_taken_out_of_it(tmp_path: Path) -> None:
    name = SECRET.decode().replace("/", "")
    Cleaning(Redactor({name.encode(): "A_KEY"})).clean(tmp_path)
    (tmp_path / f"x-{name}").mkdir()
    (tmp_path / f"x-{name}" / name).write_text("")
    Cleaning(Redactor({name.encode(): "A_KEY"})).clean(tmp_path)
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["x-[redacted A_KEY]", "[redacted A_KEY]"]
