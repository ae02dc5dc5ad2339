"""What is needed to install the project as a user does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from support.workspace import ROOT


def copy_of_sources(folder: Path) -> Path:
    """A copy of what git has, so that nothing is written beside the sources."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    return folder


def pins_of(lock: str, folder: Path) -> Path:
    """The versions of a lock, as constraints for pip."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    pins = folder / "pins.txt"
    pins.write_text("\n".join(re.findall(r"^(\S+==.*?) \\$", text, re.MULTILINE)))
    return pins
