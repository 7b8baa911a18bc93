"""Says what is to be installed: requirements.py run NAME... [test NAME...] reads the named files of the project
(requirements.txt, pyproject.toml[extra], uv.lock, poetry.lock), installs the projects among them (. or ./folder), and writes
to /requirements/run, and for the tests to /requirements/test, what uv installs:

requirements.txt  a line for each package
pyproject.toml    uv's settings, and the packages that have an index or a source of their own

Only what an installation depends on is written, so that an edit of anything else in those files reinstalls nothing.
A folder that these files list, such as -e ./library, is never installed, and no other package of its name: its code is
imported from python_path. Its dependencies are installed.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

POETRY = "uv tool run --from poetry==2.5.1 --with poetry-plugin-export==1.10.1 poetry"
PROJECT = os.environ["PROJECT"]
# Where no image is yet to run ./sh in: the stage below has the interpreter and uv
BESIDE = "docker run --rm --user $(id -u):$(id -g) -v $PWD/{project}:/app -w /app $(docker build -q --target python .)"
PYPI = "https://pypi.org/simple"
# Where build backends look for the version of a project, if there is no repository
VERSIONS = """PBR_VERSION PDM_BUILD_SCM_VERSION POETRY_DYNAMIC_VERSIONING_BYPASS SETUPTOOLS_SCM_PRETEND_VERSION
    UV_DYNAMIC_VERSIONING_BYPASS""".split()
KEPT = Path("/requirements/run")
PACKAGES = (".whl", ".tar.gz", ".zip")
# name[extra] @ address ; marker
REQUIREMENT = re.compile(
    r"\s*([\w.-]+)\s*(?:\[([^]]*)\])?\s*(?:@\s*(\S+))?(.*)", re.DOTALL
)
# -e name @ ./folder[extra] ; marker
PATH = re.compile(
    r"(?:(?:-e|--editable)[ =]+)?(?:([\w.-]+) *@ *)?([^\s;[]+)(?:\[([^]]*)\])?(.*)"
)
# uv's settings that say how packages are built, and which are chosen where no lock says so
BUILDING = """build-constraint-dependencies config-settings config-settings-package dependency-metadata
    extra-build-dependencies extra-build-variables no-binary-package no-build-isolation-package""".split()
CHOOSING = """constraint-dependencies exclude-dependencies exclude-newer exclude-newer-package extra-index-url
    find-links index index-strategy index-url no-index override-dependencies prerelease resolution""".split()


def note(message: str) -> None:
    print(message, file=sys.stderr)


def fail(message: str) -> NoReturn:
    sys.exit(f"\n{message}\n")


def to_fix(command: str, folder: Path = Path()) -> str:
    """Return how to run a command where an image is there, and where none is."""
    beside = BESIDE.format(project="" if PROJECT == "." else PROJECT)
    if folder != Path():
        command += (
            f" --project {folder}"
            if command.startswith("uv lock")
            else f" --directory {folder}"
        )
    return f"    ./sh {command}\nor, before there is an image:\n    {beside} {command}"


def run(
    command: list[str],
    hint: str,
    env: Mapping[str, str] = os.environ,
    folder: Path = Path(),
) -> list[str]:
    """Return the lines that a command prints; where it fails, say `hint`."""
    result = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=env, cwd=folder
    )
    if result.returncode:
        fail(hint)
    return result.stdout.splitlines()


def check_inside(path: Path) -> None:
    """End with the reason where a path leads out of the project."""
    if ".." in Path(os.path.relpath(path)).parts:
        fail(
            f"{path} is outside of {PROJECT}: answer project_dir with a folder that has both."
        )


def check(path: Path) -> None:
    """End with the reason where something of the project is not there."""
    check_inside(path)
    if not path.exists():
        fail(
            f"{path} is not there: {PROJECT} has no such file, or .dockerignore names it."
        )


def text_of(file: Path) -> str:
    check(file)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8. Save it as UTF-8 (PowerShell's > writes UTF-16).")
    if not text.strip():
        note(f"{file} is empty: it names no package.")
    return text


def normal(name: str) -> str:
    """Return a name as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def words(text: str | None) -> list[str]:
    """Return the words between the commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def split(requirement: str) -> tuple[str, list[str], str, str]:
    """Return the parts of name[extra,extra] @ address ; marker."""
    match = REQUIREMENT.fullmatch(requirement)
    if not match:
        fail(f"{requirement!r} is no requirement.")
    return match[1], words(match[2]), match[3] or "", match[4]


def path_of(address: str, folder: Path) -> Path:
    """Return where a path or a file: address lies, seen from the folder of the project."""
    address = re.sub(r"^file:(//(localhost)?)?|#.*$", "", address)
    address = re.sub(r"^(\$\{PROJECT_ROOT\}|\{root:uri\})/*", "", address)
    # uv looks from the file that says so, pip from where it is run
    places = [Path(os.path.relpath(start / address)) for start in (folder, Path())]
    return next((place for place in places if place.exists()), places[0])


class Pyproject:
    """A pyproject.toml, the project's own or one below."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data: dict[str, Any] = tomllib.loads(text_of(folder / "pyproject.toml"))
        self.table: dict[str, Any] = self.data.get("project", {})
        self.tool: dict[str, Any] = self.data.get("tool", {})
        self.uv: dict[str, Any] = self.tool.get("uv", {})
        self.groups = {
            normal(name): items
            for name, items in self.data.get("dependency-groups", {}).items()
        }

    @property
    def is_dynamic(self) -> bool:
        """Tell whether only the build backend knows the dependencies."""
        dynamic = {"dependencies", "optional-dependencies"}
        return not self.table or bool(dynamic & {*self.table.get("dynamic", [])})

    def listed(self, name: str) -> list[Any]:
        """Return the items of an extra or a dependency group; of "", the dependencies."""
        if not name:
            return self.table.get("dependencies", [])
        extras = self.table.get("optional-dependencies", {})
        lists = self.groups | {normal(extra): extras[extra] for extra in extras}
        if normal(name) not in lists:
            fail(
                f"{self.folder / 'pyproject.toml'} has no extra and no dependency group {name}."
            )
        return lists[normal(name)]

    def requirements(self, names: list[str]) -> Iterator[str]:
        """Yield the dependencies, those of these extras and groups, and of what they include."""
        todo = ["", *map(normal, names)]
        for name in todo:
            for item in self.listed(name):
                if isinstance(item, dict):
                    more = [item["include-group"]]
                else:
                    # An extra may name others of the same project: demo[web]
                    package, extras, *_ = split(item)
                    own = normal(package) == normal(self.table["name"])
                    more = extras if own else []
                    if not own:
                        yield item
                todo += [name for name in map(normal, more) if name not in todo]

    def settings(self, keys: list[str]) -> dict[str, Any]:
        """Return these settings of [tool.uv]. Folders of packages among the indexes are kept."""
        found = {key: self.uv[key] for key in keys if key in self.uv}
        if "index" in found:
            found["index"] = [
                index | {"url": address_of(index["url"], self.folder)}
                for index in found["index"]
            ]
        if "find-links" in found:
            found["find-links"] = [
                address_of(url, self.folder) for url in found["find-links"]
            ]
        return found

    def sources(self) -> dict[str, list[dict[str, Any]]]:
        """Return [tool.uv.sources]; each path is seen from the folder of the project."""
        found: dict[str, list[dict[str, Any]]] = {}
        for name, entry in self.uv.get("sources", {}).items():
            found[normal(name)] = []
            for source in entry if isinstance(entry, list) else [entry]:
                if source.get("workspace"):
                    source = {"path": member(name, self.folder)}
                elif "path" in source:
                    source = source | {"path": path_of(source["path"], self.folder)}
                found[normal(name)].append(source)
        return found


def member(name: str, folder: Path) -> Path:
    """Return the folder of a project of the workspace that `folder` is in."""
    for root in [folder, *folder.parents]:
        if not (root / "pyproject.toml").is_file():
            continue
        patterns = Pyproject(root).uv.get("workspace", {}).get("members", [])
        found = (path for pattern in patterns for path in root.glob(pattern))
        for path in [root, *found]:
            if (path / "pyproject.toml").is_file():
                if normal(Pyproject(path).table.get("name", "")) == normal(name):
                    return path
    fail(
        f"{folder / 'pyproject.toml'}: {name} is in no folder of the workspace, or .dockerignore names it."
    )


class Listing:
    """What is to be installed, in production or for the tests."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constraints: list[str] = []
        self.settings: dict[str, Any] = {}
        # What has an index or a source of its own, and which
        self.sourced: list[str] = []
        self.sources: dict[str, list[dict[str, Any]]] = {}
        self.seen: set[tuple[object, ...]] = set()

    def first(self, *what: object) -> bool:
        """Tell whether this is new, since files may include themselves."""
        new = what not in self.seen
        self.seen.add(what)
        return new

    def pyproject(
        self, folder: Path, extras: list[str], lines: list[str] | None = None
    ) -> None:
        """Add what a pyproject.toml lists, with these extras and groups, or these lines of its metadata."""
        pyproject = Pyproject(folder)
        self.settings = pyproject.settings(BUILDING + CHOOSING) | self.settings
        sources = pyproject.sources()
        for line in pyproject.requirements(extras) if lines is None else lines:
            name, more, address, marker = split(line)
            entries = sources.get(normal(name), [])
            if address.startswith(("file:", "{root:uri}")):
                entries = [{"path": path_of(address, folder)}]
            path = next((entry["path"] for entry in entries if "path" in entry), None)
            if path:
                self.local(path, more, folder / "pyproject.toml", name, marker)
            elif entries:
                self.sourced.append(line)
                self.sources[normal(name)] = entries
            else:
                self.lines.append(line)

    def local(
        self, path: Path, extras: list[str], file: Path, name: str, rest: str
    ) -> None:
        """Add a package that lies in the project, or the dependencies of a folder of it."""
        if path.name.endswith(PACKAGES):
            self.package(path, name, rest)
            return
        check_inside(path)
        if not self.first(path, *extras):
            return
        note(
            f"{file}: {name or path} is a folder of the project: its code is imported from python_path, its dependencies are installed"
        )
        if (path / "pyproject.toml").is_file() and not Pyproject(path).is_dynamic:
            self.pyproject(path, extras)
            return
        instead = " Or answer `dependencies` with ." if path == Path() else ""
        note(
            f"{file}: the dependencies of {name or path} are known to its build backend alone. Name them in {file}, too.{instead}"
        )

    def package(self, path: Path, name: str, rest: str) -> None:
        """Add a wheel or sdist that lies in the project."""
        place = keep(path)
        self.lines.append(f"{name} @ file://{place}{rest}" if name else place + rest)

    def requirements(self, file: Path, into: list[str]) -> None:
        """Add what a requirements file lists, and the files that it includes."""
        if not self.first(os.path.abspath(file), into is self.lines):
            return
        for line in re.sub(r"\\\r?\n", " ", text_of(file)).splitlines():
            line = re.sub(r"(^|\s)#.*", "", line).strip()
            other = re.fullmatch(
                r"(-r|--requirement|-c|--constraint)[ =]*([^:]+)", line
            )
            if other:
                inner = file.parent / shlex.split(other[2])[0]
                included = other[1].startswith(("-r", "--r"))
                self.requirements(inner, into if included else self.constraints)
            elif local := local_path(line, file.parent):
                path, extras, name, rest = local
                self.local(path, extras, file, name, rest)
            elif packages := re.fullmatch(r"(--(?:no|only)-binary)[ =](.+)", line):
                # pip takes a list, uv one package a line
                into += [f"{packages[1]} {name}" for name in words(packages[2])]
            elif links := re.fullmatch(r"(-f|--find-links)[ =]*([^:]+)", line):
                into.append(f"--find-links {keep(path_of(links[2], file.parent))}")
            elif line and has_its_variables(line, file):
                into.append(by_name(line))

    def pinned(
        self, lines: list[str], registries: Mapping[tuple[str, str], str], folder: Path
    ) -> None:
        """Add the lines of a lock. What its folders need, it lists itself."""
        for line in lines:
            pin = re.match(r"([\w.-]+)==([^\s;]+)(?: ; ([^\\]*))?", line)
            index = registries.get((pin[1], pin[2])) if pin else None
            if pin and index:
                marker = (pin[3] or "").strip()
                self.sourced.append(pin[0].rstrip("\\ "))
                entry = {"index": index} | ({"marker": marker} if marker else {})
                self.sources.setdefault(normal(pin[1]), []).append(entry)
            if not (local := local_path(line, folder)):
                self.lines.append(line)
            elif local[0].name.endswith(PACKAGES):
                self.package(local[0], local[2], local[3])

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self.constraints:
            (folder / "constraints.txt").write_text("\n".join(self.constraints) + "\n")
            self.lines.append("--constraint constraints.txt")
        (folder / "requirements.txt").write_text("\n".join(self.lines) + "\n")
        project = {"name": "listed", "version": "0", "dependencies": self.sourced}
        settings = self.settings | {"sources": self.sources}
        (folder / "pyproject.toml").write_text(
            f"project = {toml(project)}\ntool.uv = {toml(settings)}\n"
        )


def keep(path: Path) -> str:
    """Copy a package of the project, or a folder of them, to where it is installed from; return that place."""
    check(path)
    for file in [path] if path.is_file() else path.iterdir():
        if file.name.endswith(PACKAGES):
            place = KEPT / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)
    return str(KEPT / path)


def address_of(url: str, folder: Path) -> str:
    """Return an index's address; the folder of packages that it may be is kept."""
    is_path = "://" not in url or url.startswith("file:")
    return keep(path_of(url, folder)) if is_path else url


def toml(value: object) -> str:
    """Return a value as TOML writes it in a line."""
    if isinstance(value, dict):
        pairs = [f"{json.dumps(key)} = {toml(value[key])}" for key in value]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def local_path(line: str, folder: Path) -> tuple[Path, list[str], str, str] | None:
    """Return the path, extras, name and rest of a requirement that lies in the project, such as -e ./library."""
    match = PATH.fullmatch(line)
    if not match or match[2].startswith("-"):
        return None
    address = match[2]
    is_path = (
        re.match(r"\.{0,2}/|\.{1,2}$|file:|\{root:uri\}", address)
        or ":" not in address
        and ("/" in address or address.endswith(PACKAGES) or line.startswith("-e "))
    )
    if not is_path:
        return None
    return path_of(address, folder), words(match[3]), match[1] or "", match[4]


def by_name(line: str) -> str:
    """Return a requirement as uv reads it: no repository is editable."""
    line = re.sub(r"^(-e|--editable)[ =]+", "", line)
    address, _, rest = line.partition("#")
    if "+" not in address or not (egg := re.search(r"\begg=([^&\s]+)", rest)):
        return line
    rest = re.sub(r"&?\begg=[^&\s]+", "", rest).lstrip("&")
    return (
        f"{egg[1]} @ {address}{'#' if rest and not rest.startswith(' ') else ''}{rest}"
    )


def has_its_variables(line: str, file: Path) -> bool:
    """Tell whether what a line names as ${NAME} is set; where an index is given, the line can do without."""
    missing = [
        name for name in re.findall(r"\$\{(\w+)\}", line) if name not in os.environ
    ]
    if missing and not os.environ.get("UV_INDEX"):
        fail(
            f"{file}: no build knows {', '.join(missing)}. Set UV_INDEX in the environment to that index, with its password: no image keeps it."
        )
    return not missing


def options(
    extras: list[str], groups: Mapping[str, Any], extra: str, group: str
) -> list[str]:
    """Return the options that choose these extras and groups."""
    names = {normal(name) for name in groups}
    return [
        word
        for name in extras
        for word in (group if normal(name) in names else extra, name)
    ]


def make_lock(lock: Path) -> None:
    """Make uv.lock, which the container that is to work in brings out. A mirror of PyPI that only this machine has is not recorded."""
    folder = lock.parent
    fix = to_fix("uv lock", folder)
    note(
        f"\n{lock} is not there yet, so versions are whatever is newest today. {'The first start writes it. ' if folder == Path() else ''}To pin them now:\n{fix}\n"
    )
    run(
        ["uv", "lock", "--quiet", "--no-python-downloads"],
        f"{lock} is not there, and pyproject.toml alone is not enough to make it: see above. To make it:\n{fix}",
        folder=folder,
    )
    if mirror := os.environ.get("UV_DEFAULT_INDEX"):
        address = re.escape(re.sub(r"^[\w.-]+=|(?<=//)[^/]*@", "", mirror).rstrip("/"))
        text = re.sub(f'"{address}/?"', f'"{PYPI}"', lock.read_text())
        files = r'"https?://[^"]+(/packages/\w\w/\w\w/\w{60}/)'
        lock.write_text(re.sub(files, r'"https://files.pythonhosted.org\1', text))


def uv_lock(listing: Listing, lock: Path, extras: list[str], tests: bool) -> None:
    """Add what a uv.lock pins, each package from its own index; the tests' includes the default groups."""
    root = lock.parent
    if not lock.exists():
        make_lock(lock)
    KEPT.mkdir(parents=True, exist_ok=True)
    shutil.copy(lock, KEPT.parent)
    text = lock.read_text()
    packages: list[dict[str, Any]] = tomllib.loads(text).get("package", [])
    pyproject = Pyproject(root)
    listing.settings |= pyproject.settings(BUILDING)

    # uv compares with what needs no build backend, and where the lock names no folder of another machine
    folders = [
        path_of(package["source"][kind], root)
        for package in packages
        for kind in ("editable", "directory", "virtual")
        if kind in package["source"]
    ]
    known = 'index = "file:' not in text and all(
        (folder / "pyproject.toml").is_file() and not Pyproject(folder).is_dynamic
        for folder in folders
    )
    command = f"uv export --quiet --no-header --no-annotate --no-emit-workspace --{'locked' if known else 'frozen'}"
    command += "" if tests else " --no-default-groups"
    # An index of this network serves what the lock pins, and changes nothing about the lock
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("UV_DEFAULT_INDEX", "UV_INDEX")
    }
    lines = run(
        [*command.split(), *options(extras, pyproject.groups, "--extra", "--group")],
        f"{lock} does not match pyproject.toml. To fix it:\n{to_fix('uv lock', root)}",
        env,
        root,
    )

    registries = {
        (package["name"], package.get("version", "")): package["source"]["registry"]
        for package in packages
        if package["source"].get("registry", PYPI) != PYPI
    }
    indexes = {
        entry["url"].rstrip("/"): entry for entry in pyproject.uv.get("index", [])
    }
    names: dict[str, str] = {}
    for url in registries.values():
        entry = {"name": f"index-{len(names)}"} | indexes.get(url.rstrip("/"), {})
        if url not in names:
            names[url] = entry["name"]
            entry |= {
                "url": address_of(url, root),
                "explicit": True,
                "default": False,
            }
            if "://" not in url:
                entry["format"] = "flat"
            listing.settings.setdefault("index", []).append(entry)
    pins = {pin: names[url] for pin, url in registries.items()}
    listing.pinned(lines, pins, root)


def poetry_lock(listing: Listing, lock: Path, extras: list[str], tests: bool) -> None:
    """Add what a poetry.lock pins; the tests' includes the group dev."""
    root = lock.parent
    fix = to_fix("uv tool run poetry lock", root)
    if not lock.exists():
        fail(f"{lock} is not there. To make it:\n{fix}")
    pyproject = Pyproject(root)
    groups = pyproject.tool.get("poetry", {}).get("group", {}) | pyproject.groups
    extras = extras or (["dev"] if tests and "dev" in groups else [])
    lines = run(
        [*POETRY.split(), "export", *options(extras, groups, "--extras", "--with")],
        f"{lock} does not match pyproject.toml: see above. To fix it:\n{fix}",
        folder=root,
    )
    listing.pinned(lines, {}, root)


def allows(wanted: str, version: tuple[int, ...]) -> bool:
    """Tell whether a version of Python is one of those that requires-python names, or Poetry's `python`."""
    found = re.findall(r"(\^|~=?|[<>=!]=?)?=?\s*(\d[\d.]*)(\*)?", wanted)
    for operator, text, star in found:
        given = tuple(map(int, text.strip(".").split(".")))
        least = (*given, 0, 0)[:3]
        count = len(given)
        same = version[:count] == given
        ok = {
            ">=": version >= least,
            ">": version > least,
            "<=": version <= least,
            "<": version < least,
            "!=": not same if star else version != least,
            "~=": version >= least and version[: count - 1] == given[:-1],
            "~": version >= least and version[:2] == given[:2],
            "^": version >= least and version[0] == given[0],
        }.get(operator, same)
        if not ok:
            return False
    return True


def check_python(pyproject: Pyproject) -> None:
    """End with the reason where a project excludes the Python of the image."""
    poetry = pyproject.tool.get("poetry", {}).get("dependencies", {}).get("python", "")
    wanted = pyproject.table.get("requires-python", poetry)
    version = sys.version_info[:3]
    if not any(allows(one, version) for one in str(wanted).split("||")):
        fail(
            f"{pyproject.folder / 'pyproject.toml'} allows Python {wanted}, and PYTHON_VERSION is {'.'.join(map(str, version))}. Answer"
            " python_version with one that it allows: copier update --vcs-ref=:current: -d python_version=VERSION"
        )


def contents(folder: Path) -> dict[Path, int]:
    """Return when each file of a folder was changed, in ns; less what only compilers and installers read."""
    return {
        Path(root, file): Path(root, file).lstat().st_mtime_ns
        for root, _, files in os.walk(folder)
        if not re.search(r"\.egg-info|/(\.git|build|target|__pycache__)(/|$)", root)
        for file in files
        if not file.endswith((".c", ".cpp", ".o"))
    }


def keep_installed(file: Path) -> None:
    """Copy to /package what installing a project made."""
    target = Path(f"/package{file}")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, target)
    if file.name == "RECORD":
        lines = file.read_text().splitlines(True)
        kept = (line for line in lines if "/uv_cache.json," not in line)
        target.write_text("".join(kept))


def installed(folder: Path, extras: list[str]) -> list[str]:
    """Install a project without its dependencies, keep what that makes in /package, and return the dependencies.

    That is its metadata and programs, and what it writes beside the code: extension modules, a module with the version.
    """
    # Here, since most projects need not wait for it
    from importlib.metadata import distributions

    place = folder.resolve()
    check(place)
    before = contents(place)
    # Without a repository, setuptools-scm and its like cannot know the version
    version = os.environ.get("VERSION") or (
        "" if (place / "PKG-INFO").exists() else "0"
    )
    run(
        [*"uv pip install --quiet --no-deps --editable".split(), str(place)],
        f"{PROJECT if folder == Path() else folder} cannot be installed: see above for what its pyproject.toml or setup.py lacks."
        " A compiler and headers belong into the section build of build.sh.",
        (dict.fromkeys(VERSIONS, version) if version else {})
        | os.environ
        | {"UV_COMPILE_BYTECODE": "0"},
    )
    distribution = next(
        found
        for found in distributions()
        if f'"file://{place}"' in (found.read_text("direct_url.json") or "")
    )
    for file in distribution.files or []:
        source = Path(os.path.normpath(file.locate()))
        # uv_cache.json tells when, which would make an environment of other bytes out of the same project
        if source.exists() and source.name != "uv_cache.json":
            keep_installed(source)
    after = contents(place)
    for made in after:
        if before.get(made) != after[made]:
            keep_installed(made)
    Path("/package/app").mkdir(parents=True, exist_ok=True)
    return chosen(distribution.requires or [], normal(distribution.name), extras)


def chosen(lines: list[str], own: str, extras: list[str]) -> list[str]:
    """Return the lines of a project's metadata that these extras choose, and those that they name."""
    condition = re.compile(r"""extra == ['"]([^'"]+)['"]""")

    def true(match: re.Match[str]) -> str:
        return 'python_version >= "3"' if normal(match[1]) in names else match[0]

    names = {normal(extra) for extra in extras}
    while True:
        found = [condition.sub(true, line) for line in lines]
        found = [line for line in found if "extra ==" not in line]
        same = [split(line)[1] for line in found if normal(split(line)[0]) == own]
        more = {normal(extra) for extras in same for extra in extras} - names
        if not more:
            return [line for line in found if normal(split(line)[0]) != own]
        names |= more


def read(kind: str, names: list[str]) -> Listing:
    """Return what the named files say."""
    found = Listing()
    only_projects = all(name.startswith(".") for name in names)
    for answer in names:
        name, _, rest = answer.partition("[")
        file, extras = Path(name), words(rest.rstrip("]"))
        folder = file if name.startswith(".") else file.parent
        pyproject = folder / "pyproject.toml"
        if file.suffix not in (".txt", ".in") and pyproject.is_file():
            check_python(Pyproject(folder))
        match file.name:
            case _ if name.startswith("."):
                lines = installed(file, extras)
                # Where a file is named too, that one says what the project needs
                if only_projects and pyproject.is_file():
                    found.pyproject(file, [], lines)
                elif only_projects:
                    found.lines += lines
            case "pyproject.toml":
                table = Pyproject(file.parent)
                if not table.table:
                    fail(
                        f"{file} has no [project] table. Is poetry.lock what `dependencies` should name?"
                    )
                if "dependencies" in table.table.get("dynamic", []):
                    fail(
                        f"{file} leaves its dependencies to its build backend. Answer `dependencies` with . to install it as a project."
                    )
                found.pyproject(file.parent, extras)
            case "uv.lock":
                uv_lock(found, file, extras, tests=kind == "test")
            case "poetry.lock":
                poetry_lock(found, file, extras, tests=kind == "test")
            case _:
                found.requirements(file, found.lines)
    return found


def check_together(names: list[str], test_names: list[str]) -> None:
    """End with the reason where no versions of the tests' packages fit production's, before anything is compiled."""
    command = "uv pip compile --quiet --no-header --no-annotate -o /tmp/pins.txt requirements.txt pyproject.toml"
    for folder in (KEPT, KEPT.with_name("test")):
        result = subprocess.run(
            command.split(), cwd=folder, stderr=subprocess.PIPE, text=True
        )
        if "No solution found" in result.stderr:
            note(result.stderr)
            beside = "" if folder == KEPT else f"{' '.join(test_names)} beside "
            fail(
                f"{beside}{' '.join(names)}: not all of it can be installed, see above. Where an older release is not made for this Python, answer python_version with one that it is made for."
            )
        # Whatever else is wrong shows where it is installed, with all OS packages
        if result.returncode:
            return
        command += " --constraints /tmp/pins.txt"


if __name__ == "__main__":
    arguments = sys.argv[1:]
    cut = arguments.index("test") if "test" in arguments else len(arguments)
    both = [arguments[1:cut], arguments[cut + 1 :]]
    for kind, names in zip(("run", "test"), both):
        if names:
            read(kind, names).write(Path("/requirements", kind))
    # One lock fits by itself; and where nothing is compiled, the installation says it as early
    if both[1] and {*both[0]} != {*both[1]} and Path("/tmp/os/used").exists():
        check_together(*both)
