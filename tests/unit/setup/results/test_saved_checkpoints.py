"""The glob for what a run saves comes from what is on disk, and from the calls that save."""

from __future__ import annotations

from pathlib import Path

import pytest
from result_projects import project

from flagstone.setup.programs import ProgramOption
from flagstone.setup.results import checkpoint_finding

SAVED = {
    "torch.save(m.state_dict(), 'model.pt')": "model.pt",
    "import os\nout = 'runs'\ntorch.save(m, os.path.join(out, f'step_{i}.pt'))": "runs/step_*.pt",
    "from pathlib import Path\ntorch.save(m, Path('a') / 'b' / 'c.ckpt')": "a/b/c.ckpt",
    "def save(state, filename='checkpoint.pth.tar'):\n    torch.save(state, filename)": "checkpoint.pth.tar",
    "def f():\n    path = 'x'\n    path = os.path.join('out', path + '.pt')\n    torch.save(m, path)": "out/x.pt",
    "torch.save(m, 'a/%s_%d.pth' % (name, n))": "a/*_*.pth",
    "torch.save(m, 'a/{}.pth'.format(n))": "a/*.pth",
    "with open('m.pkl', 'wb') as f:\n    pickle.dump(m, f)": "m.pkl",
    "joblib.dump(m, 'm.joblib')": "m.joblib",
    "model.save('last.keras')": "last.keras",
    "save_file(m, 'm.safetensors')": "m.safetensors",
    "accelerator.save_state('states')": "states/",
    "model.save_pretrained('tuned')": "tuned/",
    "ModelCheckpoint(dirpath='ckpts', monitor='val_loss')": "ckpts/*.ckpt",
    "ModelCheckpoint(monitor='val_loss')": "lightning_logs/version_*/checkpoints/*.ckpt",
    "ModelCheckpoint('best-{epoch}.keras')": "best-*.keras",
    "checkpoints.save_checkpoint(workdir, state, 1)": None,
    "json.dump(x, open('settings.json', 'w'))": None,
    "torch.save(m, '/data/m.pt')": None,
    "torch.save(m, '../m.pt')": None,
    "torch.save(m, 'a\\x1b[31m.pt')": None,
    "plt.savefig('x.png')": None,
}


@pytest.mark.parametrize("code", SAVED)
def test_a_call_that_saves_is_read_as_a_glob(tmp_path: Path, code: str) -> None:
    found = checkpoint_finding(*project(tmp_path, {"train.py": code}))
    assert found.value == SAVED[code]
    assert found.confidence == ("likely" if found.value else "none")


def test_arguments_say_where_it_goes_and_the_command_beats_the_default(tmp_path: Path) -> None:
    code = "torch.save(m, os.path.join(args.out_dir, 'm.pt'))"
    option = ProgramOption("out-dir", "default", "train.py:1")
    tree, program = project(tmp_path, {"train.py": code}, defaults={"out-dir": option})
    assert checkpoint_finding(tree, program).value == "default/m.pt"
    tree, program = project(tmp_path, {}, defaults={"out-dir": option}, arguments={"out-dir": "given"})
    assert checkpoint_finding(tree, program).value == "given/m.pt"


ABOVE = {
    "HERE = Path(__file__).resolve().parents[2]\ntorch.save(m, HERE / 'ckpt' / 'last.pt')": "ckpt/last.pt",
    "torch.save(m, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'last.pt'))": "src/waves/last.pt",
    "torch.save(m, Path(__file__).parent.parent / 'last.pt')": "src/last.pt",
    "torch.save(m, Path(__file__).parents[9] / 'last.pt')": "*/last.pt",
}


@pytest.mark.parametrize("code", ABOVE)
def test_a_folder_above_the_file_is_known(tmp_path: Path, code: str) -> None:
    tree, program = project(tmp_path, {"src/waves/train.py": code}, entry="src/waves/train.py")
    assert checkpoint_finding(tree, program).value == ABOVE[code]


def test_what_matches_a_file_on_disk_comes_first_and_is_certain(tmp_path: Path) -> None:
    code = "torch.save(m, 'first.pt')\ntorch.save(m, f'second_{i}.pt')"
    found = checkpoint_finding(*project(tmp_path, {"train.py": code, "second_3.pt": ""}))
    assert (found.value, found.confidence) == ("second_*.pt", "certain")
    assert [each.value for each in found.lost] == ["first.pt"]


def test_a_tokenizer_and_the_state_of_an_optimizer_are_no_checkpoint_if_there_is_another(tmp_path: Path) -> None:
    files = {
        "train.py": "torch.save(o, 'optim.pt')\ntorch.save(m, 'model.pt')",
        "tokenizer.py": "pickle.dump(t, open('tokenizer.pkl', 'wb'))",
    }
    found = checkpoint_finding(*project(tmp_path, files, imports=("tokenizer.py",)))
    assert (found.value, [each.value for each in found.lost]) == ("model.pt", ["optim.pt"])


def test_what_is_saved_into_the_home_of_a_user_is_no_checkpoint_of_a_run(tmp_path: Path) -> None:
    code = """
base = os.path.join(os.path.expanduser("~"), ".cache", "x")
folder = os.path.join(base, "models")
name = os.path.join(folder, "net")
path = name + ".pt"
torch.save(m, path)
"""
    assert checkpoint_finding(*project(tmp_path, {"train.py": code})).value is None


@pytest.mark.parametrize(
    ("condition", "given", "needed"),
    [
        ("args.save_model", {}, True),
        ("args.save_model and rank == 0", {}, True),
        ("save_model", {}, True),
        ("args.save_model", {"save-model": True}, False),
        ("not args.save_model", {}, False),
        ("args.save_model or last", {}, False),
        ("args.other", {}, False),
    ],
)
def test_an_option_without_which_nothing_is_saved_is_told(
    tmp_path: Path, condition: str, given: dict[str, bool], needed: bool
) -> None:
    option = ProgramOption("save-model", False, "train.py:1", "presence")
    code = f"if {condition}:\n    torch.save(m, 'm.pt')"
    tree, program = project(tmp_path, {"train.py": code}, defaults={"save-model": option}, arguments=given)
    assert checkpoint_finding(tree, program).note == ("Saved only with save-model." if needed else "")


def test_the_trainer_saves_folders_into_its_output(tmp_path: Path) -> None:
    code = "trainer = Trainer(model=m, args=training_args)"
    tree, program = project(tmp_path, {"train.py": code}, arguments={"output_dir": "out"})
    assert checkpoint_finding(tree, program).value == "out/checkpoint-*/"


def test_a_name_that_stands_for_itself_is_left_open(tmp_path: Path) -> None:
    code = "def f(a):\n    a = b\n    b = a\n    torch.save(m, a + '/x.pt')"
    assert checkpoint_finding(*project(tmp_path, {"train.py": code})).value == "*/x.pt"
