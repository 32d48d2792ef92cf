"""The house: no circles, faces that define nothing, packages entered by their face, short rooms.

`.importlinter` keeps the floors; what it cannot say is said here.
"""

import ast
import configparser
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
TOPS = ("geodata", "georl")
MODULE_LINES = 350
BODY_LINES = 50
FACE_LINES = 60

FILES = sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py"))
FACES = sorted(path for path in FILES if path.name == "__init__.py")


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parent(module):
    return module.rpartition(".")[0]


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = {name_of(path): path for path in FILES}
PACKAGES = {name_of(path) for path in FACES}
PARENTS = {parent(package) for package in PACKAGES} - {""}
"""Packages that hold packages: geodata, geodata.evaluation, ..."""


def imports():
    """Return (importer, imported) for every import, also those inside functions and for types."""
    graph = grimp.build_graph(*TOPS, cache_dir=None)
    return {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }


def handed_on(package):
    """Return (module, name) for every name that the stub of a face hands on."""
    stub = MODULES[package].with_suffix(".pyi")
    return [
        (f"{package}.{node.module}", alias.asname or alias.name)
        for node in (tree(stub).body if stub.is_file() else [])
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


@pytest.fixture(scope="module")
def edges():
    return imports()


def circles(edges):
    """Return the strongly connected components of two or more (Tarjan, without recursion)."""
    after = {}
    for importer, imported in sorted(edges):
        after.setdefault(importer, []).append(imported)
    number, low, stack, found = {}, {}, [], []
    for start in after:
        work = [(start, iter(after[start]))] if start not in number else []
        while work:
            node, rest = work[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                stack.append(node)
            step = next((n for n in rest if n not in number or n in stack), None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    component = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    found += [sorted(component)] if len(component) > 1 else []
            elif step in number:
                low[node] = min(low[node], number[step])
            else:
                work.append((step, iter(after.get(step, ()))))
    return found


def test_the_search_finds_circles():
    ring = list(pairwise("abca"))
    assert circles([*ring, ("x", "a"), ("c", "y"), ("y", "z")]) == [["a", "b", "c"]]
    assert circles([*ring, ("a", "d"), ("d", "e"), ("e", "d")]) == [["d", "e"], ["a", "b", "c"]]
    assert circles([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]) == []


def test_no_module_is_in_a_circle(edges):
    """An import of a face is one of the package, not of its modules."""
    assert circles(edges) == []


def room(module):
    """Return the package of a module; what lies directly in a package of packages is a room too."""
    return module if module in PACKAGES or parent(module) in PARENTS else parent(module)


def test_no_package_is_in_a_circle(edges):
    through_faces = {
        (package, module)
        for package in PACKAGES
        for module, _ in handed_on(package)
        if module in MODULES
    }
    rooms = {(room(a), room(b)) for a, b in edges | through_faces}
    assert circles({(a, b) for a, b in rooms if a != b}) == []


def test_no_module_imports_the_face_it_stands_behind(edges):
    behind = {
        (importer, imported)
        for importer, imported in edges
        if imported in PACKAGES - set(TOPS) and importer.startswith(f"{imported}.")
    }
    assert behind == set()


def test_a_package_is_entered_by_its_face(edges):
    """Inside a package its modules import each other; everybody else imports the face."""
    around = {
        (importer, imported)
        for importer, imported in edges
        if imported not in PACKAGES
        and parent(imported) not in TOPS
        and not importer.startswith(f"{parent(imported)}.")
    }
    assert around == set()


# the two top packages also carry the version
@pytest.mark.parametrize("path", [p for p in FACES if name_of(p) not in TOPS], ids=name_of)
def test_a_face_defines_nothing(path):
    docstring, *imported, handing = tree(path).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value.value, str)
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in imported)
    assert ast.unparse(handing) == (
        "__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)"
    )
    for node in tree(path.with_suffix(".pyi")).body:
        assert isinstance(node, ast.ImportFrom)
        assert node.level == 1
        assert all(alias.asname == alias.name for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("path", FACES, ids=name_of)
def test_a_face_says_its_idea_and_is_short(path):
    stub = path.with_suffix(".pyi")
    for file in (path, *([stub] if stub.is_file() else [])):
        assert len(file.read_text(encoding="utf-8").splitlines()) < FACE_LINES, file
    docstring = ast.get_docstring(tree(path))
    assert docstring
    assert len(docstring.split()) > 5, f"{name_of(path)} says no idea: {docstring}"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_name_of_a_face_is_one_of_its_modules(package):
    """Importing such a module would put it where the name was."""
    modules = {name.rpartition(".")[2] for name in MODULES if parent(name) == package}
    assert modules & {name for _, name in handed_on(package)} == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_modules_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES


def is_command(function):
    return any(
        isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(".command")
        for decorator in function.decorator_list
    )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_are_short(path):
    """Their bodies, that is; the options of a command are its parameters."""
    long = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            in_cli = name_of(path).split(".")[1:2] == ["cli"]
            if lines > BODY_LINES and not (in_cli and is_command(node)):
                long[node.name] = lines
    assert long == {}


def lint(folder):
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "novel",
    ["geodata", "georl", "geodata.evaluation", "geodata.datasets", "geodata.boundaries"],
)
def test_a_package_that_stands_on_no_floor_is_named(tmp_path, novel):
    """On the real contract, over empty modules of the real names."""
    config = (ROOT / ".importlinter").read_text(encoding="utf-8")
    (tmp_path / ".importlinter").write_text(config, encoding="utf-8")
    for path in FILES:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    parsed = configparser.ConfigParser()
    parsed.read_string(config)
    for section in parsed.values():  # an exception that nothing needs would be an error
        for line in section.get("ignore_imports", "").split("\n"):
            if line:
                importer, _, imported = line.partition(" -> ")
                (tmp_path / MODULES[importer].relative_to(ROOT)).write_text(f"import {imported}\n")
    status, told = lint(tmp_path)
    assert status == 0, told
    new = tmp_path.joinpath(*novel.split("."), "novel")
    new.mkdir()
    (new / "__init__.py").touch()
    status, told = lint(tmp_path)
    assert status != 0, told
    assert "novel" in told
