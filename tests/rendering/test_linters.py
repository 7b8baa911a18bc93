"""The linters, formatters and hooks of an adopted project say nothing about the skeleton, before and after an update."""

import subprocess
from pathlib import Path

from repository import SERVICES, commit

MODULE = '''"""A shop."""


def price(cents: int) -> str:
    """Return a price in euros."""
    return f"{cents / 100:.2f}"
'''
# Every hook of pre-commit-hooks that looks into files of these kinds, from the installed package
HOOKS = {
    "check-case-conflict": "",
    "check-executables-have-shebangs": "types: [text, executable]",
    "check-json": "types: [json]",
    "check-merge-conflict": "types: [text]",
    "check-shebang-scripts-are-executable": "types: [text]",
    "check-symlinks": "types: [symlink]",
    "check-toml": "types: [toml]",
    "check-yaml": "types: [yaml]",
    "debug-statement-hook": "types: [python]",
    "detect-private-key": "types: [text]",
    "end-of-file-fixer": "types: [text]",
    "mixed-line-ending": "types: [text]",
    "trailing-whitespace-fixer": "types: [text]",
}
COMMANDS = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["black", "--quiet", "--check", "."],
    ["mypy", "--strict", "."],
    ["pre-commit", "run", "--all-files"],
]


def adopt(path: Path) -> None:
    """Write a project that is clean under its own hooks."""
    path.mkdir()
    (path / "shop.py").write_text(MODULE)
    (path / "requirements.txt").write_text("six\n")
    (path / "pyproject.toml").write_text(
        '[tool.ruff.lint]\nselect = ["ALL"]\nignore = ["COM812", "CPY", "D203", "D213"]\n'
    )
    hooks = "".join(
        f"      - {{id: {name}, name: {name}, entry: {name}, language: system, {kinds}}}\n"
        for name, kinds in HOOKS.items()
    )
    ruff = "".join(
        f"      - {{id: {name}, name: {name}, entry: {entry} --force-exclude, language: system, types: [python]}}\n"
        for name, entry in {"ruff": "ruff check", "ruff-format": "ruff format --check"}.items()
    )
    (path / ".pre-commit-config.yaml").write_text(f"repos:\n  - repo: local\n    hooks:\n{hooks}{ruff}")


def complaints(path: Path) -> str:
    """Return what the project's tools say, and nothing where all of them are content."""
    said = []
    for command in COMMANDS:
        result = subprocess.run(command, cwd=path, capture_output=True, text=True)
        if result.returncode:
            said.append(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    return "\n".join(said)


def test_an_adopted_projects_tools_say_nothing_about_the_skeleton(updatable) -> None:
    adopt(updatable.path)
    updatable.copy(starter="existing", services=["postgres"])
    assert not complaints(updatable.path)
    updatable.update(services=SERVICES)
    commit(updatable.path)
    assert not complaints(updatable.path)
