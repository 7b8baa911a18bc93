"""Says what is to be installed: requirements.py run NAME... [test NAME...] reads the named files of the project
(requirements.txt, pyproject.toml[extra], uv.lock, poetry.lock, or . for the project itself) and writes
/requirements/run/requirements.txt, and the same for the tests.

Only what an installation depends on is written, so that an edit of anything else in those files reinstalls nothing.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

POETRY = ["uv", "tool", "run", "--from", "poetry==2.5.1", "--with", "poetry-plugin-export==1.10.1", "poetry"]
PROJECT = os.environ["PROJECT"]
# Where no image is yet to run ./sh in: the stage below has the interpreter and uv
BESIDE = "docker run --rm --user $(id -u):$(id -g) -v $PWD/{project}:/app -w /app $(docker build -q --target python .)"


def fail(message: str) -> None:
    sys.exit(f"\n{message}\n")


def to_fix(command: str) -> str:
    """Return how to run a command where an image is there, and where none is."""
    beside = BESIDE.format(project="" if PROJECT == "." else PROJECT)
    return f"    ./sh {command}\nor, before there is an image:\n    {beside} {command}"


def text_of(file: Path) -> str:
    if not file.is_file():
        fail(f"{file} is not there: {PROJECT} has no such file, or .dockerignore names it, or it must be named in `dependencies` too.")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8. Save it as UTF-8 (PowerShell's > writes UTF-16).")
    if not text.strip():
        fail(f"{file} is empty. If nothing is to be installed, say so in it, in a comment line.")
    return text


def is_local(line: str) -> bool:
    """Tell whether a requirement is a folder or file of the project, such as -e ./library."""
    return bool(re.match(r"(-e|--editable)[ =]*(?!\w+\+|https?:)|[.~]{0,2}/|\.$|\.\[|file:", line))


def requirements(file: Path, constraints: list[str]) -> Iterator[str]:
    """Yield the requirements of a file and of those that it includes; what they name as constraints goes into `constraints`."""
    for line in re.sub(r"\\\r?\n", " ", text_of(file)).splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        other = re.fullmatch(r"(-r|--requirement|-c|--constraint)[ =]*(.+)", line)
        if other and "://" not in other[2]:
            inner = requirements(file.parent / shlex.split(other[2])[0], constraints)
            if other[1].startswith(("-r", "--r")):
                yield from inner
            else:
                constraints += inner
        elif line and is_local(line):
            print(f"{file}: {line} is not installed, since the project's own code is imported from python_path", file=sys.stderr)
        elif packages := re.fullmatch(r"(--(?:no|only)-binary)[ =](.+)", line):
            # pip takes a list, uv one package a line
            yield from (f"{packages[1]} {package.strip()}" for package in packages[2].split(","))
        elif line:
            yield line


def project() -> dict:
    """Return the table [project] of pyproject.toml."""
    table = tomllib.loads(text_of(Path("pyproject.toml"))).get("project")
    if table is None:
        fail("pyproject.toml has no [project] table. Is poetry.lock what `dependencies` should name?")
    if "dependencies" in table.get("dynamic", []):
        fail("pyproject.toml leaves its dependencies to its build backend. Answer `dependencies` with . to install it as a project.")
    return table


def groups() -> dict[str, list]:
    """Return the dependency groups of pyproject.toml, Poetry's own among them."""
    data = tomllib.loads(text_of(Path("pyproject.toml")))
    return data.get("tool", {}).get("poetry", {}).get("group", {}) | data.get("dependency-groups", {})


def group(name: str) -> Iterator[str]:
    """Yield the requirements of a dependency group (PEP 735) and of those that it includes."""
    for item in groups()[name]:
        if isinstance(item, dict):
            yield from group(item["include-group"])
        else:
            yield item


def pyproject(extras: list[str]) -> Iterator[str]:
    """Yield the dependencies of pyproject.toml and of these extras or dependency groups."""
    table = project()
    own = re.sub(r"[-_.]+", "-", table["name"]).lower()
    todo = [*table.get("dependencies", [])]
    for name in extras:
        optional = table.get("optional-dependencies", {})
        if name not in optional and name not in groups():
            fail(f"pyproject.toml has no extra and no dependency group {name}.")
        todo += optional[name] if name in optional else group(name)
    for line in todo:
        # An extra may name others of the same project: demo[web]
        same = re.match(r"\s*([\w.-]+)\s*\[([^]]*)\]", line)
        if same and re.sub(r"[-_.]+", "-", same[1]).lower() == own:
            yield from pyproject(re.split(r"\s*,\s*", same[2].strip()))
        else:
            yield line


def run(command: list[str], hint: str, env: Mapping[str, str] = os.environ) -> list[str]:
    """Return the lines that a command prints; where it fails, say `hint`."""
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env)
    if result.returncode:
        fail(hint)
    return result.stdout.splitlines()


def options(extras: list[str], for_extra: str, for_group: str) -> list[str]:
    """Return the options that choose these extras and groups."""
    return [word for name in extras for word in ((for_group if name in groups() else for_extra), name)]


def uv_lock(extras: list[str], tests: bool) -> Iterator[str]:
    """Yield what uv.lock pins; the tests' includes the default groups."""
    lock = Path("uv.lock")
    if not lock.exists():
        print(f"\nuv.lock is not there yet, so versions are whatever is newest today. To pin them:\n{to_fix('uv lock')}\n", file=sys.stderr)
        yield from pyproject(extras or (["dev"] if tests and "dev" in groups() else []))
        return
    text = lock.read_text()
    # Of a workspace not all members are here, and no lock would match
    check = "--frozen" if "[tool.uv.workspace]" in text_of(Path("pyproject.toml")) else "--locked"
    command = ["uv", "export", "--quiet", check, "--no-header", "--no-annotate", "--no-emit-workspace", *options(extras, "--extra", "--group")]
    # An index of this network serves what the lock pins, and changes nothing about the lock
    env = {name: value for name, value in os.environ.items() if name not in ("UV_DEFAULT_INDEX", "UV_INDEX")}
    command += [] if tests else ["--no-default-groups"]
    lines = run(command, f"uv.lock does not match pyproject.toml. To fix it:\n{to_fix('uv lock')}", env)
    for url in sorted(set(re.findall(r'registry = "(https?://[^"]+)"', text)) - {"https://pypi.org/simple"}):
        yield f"--extra-index-url {url}"
    yield from lines


def poetry_lock(extras: list[str], tests: bool) -> list[str]:
    """Return what poetry.lock pins; the tests' includes the group dev."""
    if not Path("poetry.lock").exists():
        fail(f"poetry.lock is not there. To make it:\n{to_fix('uv tool run poetry lock')}")
    extras = extras or (["dev"] if tests and "dev" in groups() else [])
    command = [*POETRY, "export", *options(extras, "--extras", "--with")]
    return run(command, f"poetry.lock does not match pyproject.toml: see above. To fix it:\n{to_fix('uv tool run poetry lock')}")


def installed(extras: list[str]) -> Iterator[str]:
    """Install the project without its dependencies, keep what that makes in /package, and yield the dependencies."""
    from importlib.metadata import distributions  # here, since most projects need not wait for it

    hint = f"{PROJECT} cannot be installed: see above for what its pyproject.toml or setup.py lacks."
    # Without a repository, setuptools-scm and its like cannot know the version
    version = {} if Path("PKG-INFO").exists() else {"SETUPTOOLS_SCM_PRETEND_VERSION": os.environ.get("SETUPTOOLS_SCM_PRETEND_VERSION", "0")}
    run(["uv", "pip", "install", "--quiet", "--no-deps", "--editable", "."], hint, os.environ | version)
    distribution = next(found for found in distributions() if '"file:///app"' in (found.read_text("direct_url.json") or ""))
    for file in distribution.files or []:
        source = Path(os.path.normpath(file.locate()))
        # uv_cache.json tells when, which would make an environment of other bytes out of the same project
        if source.exists() and source.name != "uv_cache.json":
            target = Path(f"/package{source}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            if source.name == "RECORD":
                target.write_text("".join(line for line in source.read_text().splitlines(True) if "/uv_cache.json," not in line))
    for line in distribution.requires or []:
        # An extra is chosen by making its condition true
        for name in extras:
            line = re.sub(rf"""extra == ['"]{re.escape(name)}['"]""", 'python_version >= "3"', line)
        if "extra ==" not in line:
            yield line


def write(kind: str, names: list[str]) -> None:
    """Write what the named files say to /requirements/KIND."""
    lines: list[str] = []
    constraints: list[str] = []
    for answer in names:
        name, _, rest = answer.partition("[")
        extras = [extra for extra in rest.rstrip("]").split(",") if extra]
        match name:
            case ".":
                # Where another file is named too, that one says what the project needs
                lines += [line for line in installed(extras) if len(names) == 1]
            case "pyproject.toml":
                lines += pyproject(extras)
            case "uv.lock" | "poetry.lock":
                pinned = (uv_lock if name == "uv.lock" else poetry_lock)(extras, tests=kind == "test")
                lines += (line for line in pinned if not is_local(line))
            case _:
                lines += requirements(Path(name), constraints)
    folder = Path("/requirements", kind)
    folder.mkdir(parents=True)
    if constraints:
        (folder / "constraints.txt").write_text("\n".join(constraints) + "\n")
        lines.append("--constraint constraints.txt")
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    words = sys.argv[1:]
    split = words.index("test") if "test" in words else len(words)
    write("run", words[1:split])
    if words[split:]:
        write("test", words[split + 1 :])
