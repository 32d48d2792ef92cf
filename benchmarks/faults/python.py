"""Faults of Python code, made from its syntax tree: one small change each, messages left alone."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from pathlib import Path

from faults.fault import Fault

SWAPS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {
    "min": "max",
    "any": "all",
    "minimum": "maximum",
    "amin": "amax",
    "argmin": "argmax",
    "floor": "ceil",
    "startswith": "endswith",
    "sin": "cos",
    "radians": "degrees",
    "zeros": "ones",
    "head": "tail",
    "partition": "rpartition",
    "lat": "lon",
    "lats": "lons",
    "logical_and": "logical_or",
    "cumsum": "cumprod",
    "nanmin": "nanmax",
    "left": "right",
}
NAMES |= {new: old for old, new in NAMES.items()}
UNWRAPPED = {"abs", "sorted", "reversed", "unique", "sort", "round", "flip", "radians", "deg2rad"}
BARE = {"strip", "rstrip", "lstrip", "lower", "upper", "casefold", "copy", "split_blocks", "ravel"}
SPOKEN = {"help", "metavar", "strict", "encoding", "stacklevel", "description", "name", "exc_info"}
MESSAGES = {"msg", "message", "text", "title", "__all__", "TYPE_CHECKING"}
SPEAKERS = ("warn", "echo", "print", "debug", "info", "Option", "Argument", "TypeVar", "Typer")


class Finder(ast.NodeVisitor):
    """Collects the faults of one module."""

    def __init__(self, file: str, whole: str) -> None:
        self.file, self.whole, self.names = file, whole, []
        self.found: list[Fault] = []
        self.starts = [0]
        for line in whole.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.rows = whole.splitlines(keepends=True)

    def at(self, line: int, column: int) -> int:
        """Return characters before a place; the tree counts bytes."""
        return self.starts[line - 1] + len(self.rows[line - 1].encode()[:column].decode())

    def add(self, node: ast.AST, instead: str, kind: str, last: ast.AST | None = None) -> None:
        end = last or node
        start, stop = (
            self.at(node.lineno, node.col_offset),
            self.at(end.end_lineno, end.end_col_offset),
        )
        outer = ".".join(self.names).partition(".<locals>")[0]
        if self.whole[start:stop] != instead:
            self.found.append(Fault(self.file, start, stop, instead, kind, outer))

    def swap(self, node: ast.AST, kind: str, **changed: object) -> None:
        """Write an expression again with some of its parts changed."""
        new = copy.copy(node)
        for name, value in changed.items():
            setattr(new, name, value)
        self.add(node, f"({ast.unparse(new)})", kind)

    # what is left alone
    def visit_JoinedStr(self, node): ...
    def visit_Raise(self, node): ...
    def visit_Import(self, node): ...
    def visit_ImportFrom(self, node): ...

    def visit_Assign(self, node):
        named = {t.id for t in node.targets if isinstance(t, ast.Name)}
        if not named & MESSAGES:
            self.generic_visit(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant):
            return
        if isinstance(node.value, ast.Call) and not _speaks(node.value):
            self.add(node, "pass", "call removed")
        self.generic_visit(node)

    # where it is
    def visit_ClassDef(self, node):
        if any(ast.unparse(base).endswith("Protocol") for base in node.bases):
            return
        self.names.append(node.name)
        for child in node.body:
            self.visit(child)
        self.names.pop()

    def visit_FunctionDef(self, node):
        if any("overload" in ast.unparse(d) for d in node.decorator_list):
            return
        self.names += [node.name, "<locals>"]
        for child in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(child)
        del self.names[-2:]

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    # what is changed
    def visit_If(self, node):
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return
        self.negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node):
        self.negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node):
        for test in node.ifs:
            self.negate(test)
        self.generic_visit(node)

    def negate(self, test):
        if not isinstance(test, ast.UnaryOp | ast.Compare):
            self.add(test, f"(not ({ast.unparse(test)}))", "condition negated")

    def visit_Compare(self, node):
        for i, op in enumerate(node.ops):
            ops = [*node.ops[:i], SWAPS[type(op)](), *node.ops[i + 1 :]]
            self.swap(node, "comparison", ops=ops)
        for part in node.comparators:
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                self.add(part, repr(part.value + "_"), "text")
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        self.swap(node, "and, or", op=SWAPS[type(node.op)]())
        for i in range(len(node.values)):
            left = [*node.values[:i], *node.values[i + 1 :]]
            if len(left) == 1:
                self.add(node, f"({ast.unparse(left[0])})", "clause dropped")
            else:
                self.swap(node, "clause dropped", values=left)
        self.generic_visit(node)

    def visit_BinOp(self, node):
        if type(node.op) in SWAPS and not any(map(_is_text, (node.left, node.right))):
            self.swap(node, "operator", op=SWAPS[type(node.op)]())
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        if type(node.op) in SWAPS and not _is_text(node.value):
            self.add(node, ast.unparse(ast.Assign([node.target], node.value, lineno=1)), "operator")
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        self.add(node, f"({ast.unparse(node.operand)})", "sign or not dropped")
        if not isinstance(node.operand, ast.Constant):
            self.generic_visit(node)

    def visit_Constant(self, node):
        value = node.value
        if isinstance(value, bool):
            self.add(node, repr(not value), "constant")
        elif isinstance(value, int):
            self.add(node, f"{value + 1}", "off by one")
        elif isinstance(value, float):
            self.add(node, repr(value * 1.5 or 1.0), "constant")

    def visit_Break(self, node):
        self.add(node, "continue", "break, continue")

    def visit_Continue(self, node):
        self.add(node, "break", "break, continue")

    def visit_Call(self, node):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        if _speaks(node):
            return
        if called in NAMES:
            self.add(node.func, f"{ast.unparse(node.func)[: -len(called)]}{NAMES[called]}", "name")
        if called in UNWRAPPED and len(node.args) == 1:
            self.add(node, f"({ast.unparse(node.args[0])})", "call unwrapped")
        if called in BARE and not node.args and isinstance(node.func, ast.Attribute):
            self.add(node, f"({ast.unparse(node.func.value)})", "call unwrapped")
        for i, keyword in enumerate(node.keywords):
            if keyword.arg and keyword.arg not in SPOKEN:
                rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
                self.swap(node, "keyword dropped", keywords=rest)
        for i, (a, b) in enumerate(zip(node.args, node.args[1:], strict=False)):
            named = isinstance(a, ast.Name | ast.Attribute) and isinstance(
                b, ast.Name | ast.Attribute
            )
            if named and ast.dump(a) != ast.dump(b):
                args = [*node.args[:i], b, a, *node.args[i + 2 :]]
                self.swap(node, "arguments swapped", args=args)
        heard = [keyword.value for keyword in node.keywords if keyword.arg not in SPOKEN]
        for part in (node.func, *node.args, *heard):
            self.visit(part)

    def visit_Attribute(self, node):
        if node.attr in ("lat", "lon") and isinstance(node.ctx, ast.Load):
            self.add(node, f"{ast.unparse(node.value)}.{NAMES[node.attr]}", "lat, lon")
        self.generic_visit(node)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _speaks(node: ast.Call) -> bool:
    called = ast.unparse(node.func).rpartition(".")[2]
    return called in SPEAKERS or called.endswith(("Error", "Warning", "finding"))


def python_faults(root: Path, top: str) -> Iterator[Fault]:
    """Yield every fault of the modules under a folder, faces left out."""
    for path in sorted((root / top).rglob("*.py")):
        if path.name not in ("__init__.py", "__main__.py"):
            whole = path.read_text(encoding="utf-8")
            finder = Finder(path.relative_to(root).as_posix(), whole)
            finder.visit(ast.parse(whole))
            yield from finder.found
