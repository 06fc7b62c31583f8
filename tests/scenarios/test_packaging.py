"""The wheel alone, in an empty environment, walks the road from another directory."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: object, cwd: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    words = [str(word) for word in command]
    result = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, env=environ)
    assert result.returncode == 0, f"{words}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def test_the_wheel_installs_into_an_empty_environment_and_runs_the_demo(tmp_path: Path) -> None:
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    run(sys.executable, *pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    pins = re.findall(r"^[a-z0-9._-]+==\S+", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    (tmp_path / "pins.txt").write_text("\n".join(pins))
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "empty", cwd=tmp_path)
    there = tmp_path / "empty" / "bin"
    run(sys.executable, *pip, "--python", there / "python", "install", "-c", tmp_path / "pins.txt", wheel, cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "498" in run(there / "newsletter", "demo", cwd=elsewhere)
    imported = run(there / "python", "-c", "import newsletter; print(newsletter.__file__)", cwd=elsewhere)
    assert str(tmp_path) in imported
