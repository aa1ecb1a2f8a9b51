"""The command line as a process of its own: signals, pipes, odd bytes, completion, start-up."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

#: `engram`, with commands that only tests have.
_ENGRAM = """
import sys
from engram.cli import main, root, run
run.run.__kwdefaults__["commands"] = "tests.cli.verbs"
sys.exit(main.main())
"""
_PLAIN = "import sys; from engram.cli.main import main; sys.exit(main())"
#: Ctrl-C is pressed as the n-th module is looked for after our first one, or as Python ends; it imports nothing itself.
_PRESSED = """
import _signal, atexit, posix, sys
when = sys.argv.pop(1)
seen = []
def press():
    posix.kill(posix.getpid(), _signal.SIGINT)
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if seen or name == "engram.cli.main":
            seen.append(name)
        if str(len(seen)) == when:
            press()
sys.meta_path.insert(0, Finder)
if when == "end":
    atexit.register(press)
"""
#: Ctrl-C is pressed where what is raised gets lost: as an object goes, once the command is at work.
_UNHEARD = """
import os
make, pressed = os.mkdir, []
class Going:
    def __del__(self):
        os.kill(os.getpid(), 2)
        sum(range(1000))
def make_and_press(path):
    make(path)
    if not pressed:
        pressed.append(Going)
        Going()
os.mkdir = make_and_press
"""
ROOT = Path(__file__).parents[2]
#: Whoever has not answered by then hangs, however busy the machine is.
PATIENCE_S = 200
AROUND = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([*os.environ.get("PYTHONPATH", "").split(os.pathsep), str(ROOT / "src"), str(ROOT)]),
}


def start(*words: str | bytes, code: str = _ENGRAM, **more: str) -> subprocess.Popen[bytes]:
    command: Sequence[str | bytes] = [sys.executable, "-c", code, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, env={**AROUND, **more})


def done(*words: str | bytes, **more: str) -> tuple[int, bytes, bytes]:
    process = start(*words, **more)
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def when_there(path: Path) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_s:
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never appeared")


class TestSignals:
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
    def test_a_signal_ends_it_in_good_order(self, tmp_path: Path, number: signal.Signals, code: int) -> None:
        process = start("--json", "wait", str(tmp_path))
        when_there(tmp_path / "began")
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
        records = [json.loads(line) for line in out.splitlines()]
        assert process.returncode == code
        assert (tmp_path / "tidy").exists()
        assert len(err.splitlines()) == 2
        assert [record["error"] for record in records] == ["", "Interrupted"]

    def test_a_signal_that_comes_while_python_is_done_with_an_object_is_heard_all_the_same(
        self, tmp_path: Path
    ) -> None:
        process = start("wait", str(tmp_path), code=_UNHEARD + _ENGRAM)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
        assert (tmp_path / "tidy").exists()
        assert len(err.splitlines()) == 2

    def test_a_second_signal_ends_it_at_once(self, tmp_path: Path) -> None:
        process = start("wait", "--tidy-s", "60", str(tmp_path))
        when_there(tmp_path / "began")
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode in (-signal.SIGINT, 130)
        assert not (tmp_path / "tidy").exists()

    def test_what_takes_too_long_to_tidy_up_is_cut_short(self, tmp_path: Path) -> None:
        process = start("wait", "--tidy-s", "60", str(tmp_path))
        when_there(tmp_path / "began")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
        assert not (tmp_path / "tidy").exists()

    @pytest.mark.parametrize("when", [2, 3, 4, 5, 8, 13, 21, 34, 55, 89, "end"])
    def test_at_any_moment_from_our_first_import_on_no_traceback_is_shown(self, when: int | str) -> None:
        process = start(str(when), "help", "topics", code=_PRESSED + _PLAIN)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode in (-signal.SIGINT, 130)
        assert b"Traceback" not in err
        assert len(err.splitlines()) <= 2

    def test_a_signal_that_was_switched_off_stays_off(self, tmp_path: Path) -> None:
        code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + _ENGRAM
        process = start("wait", str(tmp_path), code=code)
        when_there(tmp_path / "began")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


#: Results, and what is told instead of them.
_TELLING = pytest.mark.parametrize("words", ["plan --dry-run", "--help", "plan --help", "noun --help", "--version"])


class TestStreams:
    @_TELLING
    def test_a_closed_pipe_is_quiet(self, words: str) -> None:
        with start(*words.split()) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0

    @pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
    def test_a_closed_stream_is_no_bug(self, closed: str) -> None:
        script = f'"$0" -c "$1" plan --dry-run {closed}'
        process = subprocess.run(["sh", "-c", script, sys.executable, _ENGRAM], env=AROUND, check=False)
        assert process.returncode == 0

    def test_a_terminal_that_knows_only_ascii_gets_escapes(self) -> None:
        code, out, err = done("run", "水", PYTHONIOENCODING="ascii")
        assert (code, err) == (0, b"")
        assert out.strip() == b"\\u6c34"

    def test_words_that_are_not_utf8_come_through(self) -> None:
        code, out, _ = done("--json", "run", b"caf\xe9")
        assert code == 0
        assert os.fsencode(json.loads(out)["text"]) == b"caf\xe9"

    @_TELLING
    def test_a_full_disk_behind_stdout_is_told(self, words: str) -> None:
        with open("/dev/full", "wb") as full:
            process = subprocess.run(
                [sys.executable, "-c", _ENGRAM, *words.split()],
                stdout=full,
                stderr=subprocess.PIPE,
                env=AROUND,
                check=False,
            )
        assert process.returncode == 31
        assert len(process.stderr.splitlines()) == 2


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with an `engram` to type."""
    path = tmp_path / "engram"
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom engram.cli.main import main\nsys.exit(main())\n")
    path.chmod(0o755)
    return tmp_path


def typed(program: Path, *words: str) -> list[str]:
    """What bash offers when Tab is pressed after the last word."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed: ./dev services")
    line = " ".join(words)
    script = f"""
        eval "$(engram completion bash)"
        COMP_WORDS=({line}{" ''" if words[-1] == "" else ""}); COMP_CWORD={len(words) - 1}
        _engram_completion engram; echo "${{COMPREPLY[@]}}"
    """
    around = {**AROUND, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=around, check=True)
    assert process.stderr == ""
    return process.stdout.split()


class TestCompletion:
    def test_bash_completes_a_command(self, program: Path) -> None:
        assert typed(program, "engram", "stat") == ["status"]

    def test_bash_completes_the_verb_of_a_noun(self, program: Path) -> None:
        assert typed(program, "engram", "config", "ex") == ["explain"]

    def test_what_is_wrong_before_the_word_disturbs_nobody(self, program: Path) -> None:
        assert typed(program, "engram", "-C", "/nowhere", "-c", "x", "stat") == ["status"]

    def test_bash_completes_an_option(self, program: Path) -> None:
        assert typed(program, "engram", "save", "--mess") == ["--message", "--message-file"]

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_every_shell_has_its_script(self, shell: str) -> None:
        code, out, err = done(
            "completion", shell, code="import sys; from engram.cli.main import main; sys.exit(main())"
        )
        assert (code, err) == (0, b"")
        assert b"_ENGRAM_COMPLETE" in out


def test_the_module_is_the_program() -> None:
    process = subprocess.run([sys.executable, "-m", "engram", "--version"], capture_output=True, env=AROUND, check=True)
    assert process.stdout.startswith(b"engram ")
