"""What rendering costs: this template with its defaults against an empty one, in turn, in one process.

Usage: uv run python tests/bench/rendering.py [ROUNDS]
Prints seconds (medians), the difference and the ratio; then what each service in the catalogue adds.
"""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from copier import run_copy  # noqa: E402
from repository import commit, copy_working_tree, make_repository  # noqa: E402


def empty(path: Path) -> Path:
    """A template with no question and one empty file."""
    (path / "template").mkdir(parents=True)
    (path / "copier.yml").write_text("_subdirectory: template\n")
    (path / "template/file").touch()
    make_repository(path)
    return path


def ours(path: Path) -> Path:
    """This template as it is in the working tree."""
    copy_working_tree(path)
    make_repository(path)
    return path


def seconds(template: Path, into: Path) -> float:
    start = time.perf_counter()
    run_copy(str(template), into, defaults=True, quiet=True)
    taken = time.perf_counter() - start
    shutil.rmtree(into)
    return taken


def main(rounds: int = 15) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        templates = {"empty": empty(base / "empty"), "ours": ours(base / "ours")}
        more = ours(base / "more")
        for number in range(20):
            shutil.copy(more / "include/services/postgres.yaml", more / f"include/services/extra{number}.yaml")
        commit(more)
        templates["ours, 20 services more"] = more
        times: dict[str, list[float]] = {name: [] for name in templates}
        for round_ in range(rounds + 1):
            for name, template in templates.items():
                taken = seconds(template, base / "demo")
                if round_:
                    times[name].append(taken)
        medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        print(f"{name:24} {median:6.3f} s  (least {min(times[name]):.3f}, most {max(times[name]):.3f})")
    print(f"ours less empty          {medians['ours'] - medians['empty']:6.3f} s")
    print(f"one service more         {(medians['ours, 20 services more'] - medians['ours']) / 20 * 1000:6.2f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
