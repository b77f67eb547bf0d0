"""The small language of a rule: what its text may hold, and how its work comes to be counted."""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any

from fleetlab.policy.custom import Ask, PolicyStopped

LONGEST_TEXT = 10_000
LARGEST_BITS = 256

_METHODS = (
    "append", "sort", "index", "count", "pop", "insert", "extend", "remove", "reverse", "copy",
    "get", "items", "keys", "values", "setdefault", "update", "add", "discard", "union",
    "intersection", "difference", "issubset", "gpus", "needs",
)  # fmt: skip
_STATEMENTS = (
    ast.FunctionDef, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While,
    ast.If, ast.Expr, ast.Pass, ast.Break, ast.Continue,
)  # fmt: skip
_EXPRESSIONS = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Lambda, ast.IfExp, ast.Dict, ast.Set, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Compare, ast.Call, ast.Constant,
    ast.Attribute, ast.Subscript, ast.Starred, ast.Name, ast.List, ast.Tuple, ast.Slice,
)  # fmt: skip
_OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitOr, ast.BitAnd, ast.BitXor,
)  # fmt: skip
_ALLOWED = (
    *_STATEMENTS, *_EXPRESSIONS, *_OPERATORS, ast.Module, ast.arguments, ast.arg, ast.keyword,
    ast.comprehension, ast.expr_context, ast.boolop, ast.unaryop, ast.cmpop,
)  # fmt: skip
_NAMES = {
    ast.Import: "import", ast.ImportFrom: "import", ast.Pow: "a power", ast.LShift: "a shift",
    ast.RShift: "a shift", ast.JoinedStr: "a formatted text", ast.Try: "try", ast.With: "with",
    ast.ClassDef: "a class", ast.Global: "global", ast.Nonlocal: "nonlocal", ast.Raise: "raise",
    ast.Await: "await", ast.Yield: "yield", ast.YieldFrom: "yield", ast.Delete: "del",
    ast.NamedExpr: "an assignment inside an expression", ast.Assert: "assert",
}  # fmt: skip


def compiled(text: str) -> CodeType:
    """Return the code of ``text``; raises PolicyStopped at the line that cannot be."""
    if len(text) > LONGEST_TEXT:
        raise PolicyStopped(f"the rule has {len(text):,} characters; {LONGEST_TEXT:,} are enough")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        line = error.lineno or 0
        raise PolicyStopped(f"line {line}: {error.msg}", line) from None
    except (ValueError, RecursionError, MemoryError):
        raise PolicyStopped("the rule is no text that Python can read") from None
    try:
        for node in ast.walk(tree):
            _check(node)
        _check_methods(tree)
        _check_top(tree)
        rewritten = ast.fix_missing_locations(_Counting().visit(tree))
        return compile(rewritten, "<rule>", "exec", optimize=0)
    except (SyntaxError, ValueError) as error:
        raise PolicyStopped(f"the rule cannot be compiled: {error}") from None
    except (RecursionError, MemoryError):
        raise PolicyStopped("the rule is nested too deep") from None


def _check_top(tree: ast.Module) -> None:
    for node in tree.body:
        note = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (note or isinstance(node, ast.FunctionDef | ast.Assign)):
            _refuse(node, "outside its functions a rule may only name values")
    if not any(isinstance(n, ast.FunctionDef) and n.name == "place" for n in tree.body):
        raise PolicyStopped("the rule has no function place(job, free)", 1)


def _check(node: ast.AST) -> None:
    """Refuse what a rule may not contain."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and not isinstance(node.op, _OPERATORS):
        _refuse(node, f"a rule cannot use {_NAMES.get(type(node.op), type(node.op).__name__)}")
    if not isinstance(node, _ALLOWED):
        name = _NAMES.get(type(node), type(node).__name__)
        _refuse(node, f"a rule cannot use {name}")
    if isinstance(node, ast.Constant) and not isinstance(
        node.value, int | float | str | bool | None
    ):
        _refuse(node, f"a rule cannot use a {type(node.value).__name__}")
    if isinstance(node, ast.Constant) and _bits(node.value) > LARGEST_BITS // 2:
        _refuse(node, "this number is too large")
    if isinstance(node, ast.Attribute) and node.attr not in _METHODS:
        _refuse(node, f"a rule cannot use .{node.attr[:40]}")
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        _refuse(node, "a rule cannot change what it is given")
    stretch = isinstance(node, ast.Starred) or (
        isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)
    )
    if stretch and not isinstance(getattr(node, "ctx", None), ast.Load):
        _refuse(node, "a rule cannot assign to a stretch of a list")
    if isinstance(node, ast.arguments) and (node.vararg or node.kwarg):
        _refuse(node.vararg or node.kwarg or node, "a rule's functions take named arguments only")
    for name in _names_in(node):
        if name.startswith("_"):
            _refuse(node, f"names in a rule do not begin with an underscore: {name[:40]}")
    if isinstance(node, ast.FunctionDef) and (node.decorator_list or node.returns):
        _refuse(node, "a function of a rule has no decorators and says no types")
    element = isinstance(node, ast.AugAssign) and not isinstance(node.target, ast.Name)
    if element and isinstance(getattr(node, "op", None), ast.Mult | ast.Mod):
        _refuse(node, "give the element a name first, and multiply that")


def _bits(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _check_methods(tree: ast.Module) -> None:
    """Refuse a method that is not called on the spot: passed on, nobody could count its calls."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or id(node) in called:
            continue
        if node.attr not in Ask._fields:
            _refuse(node, f"call .{node.attr} on the spot: .{node.attr}(…)")


def _names_in(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.arg):
        return [node.arg]
    return [node.arg] if isinstance(node, ast.keyword) and node.arg else []


def _refuse(node: ast.AST, sentence: str) -> None:
    line = getattr(node, "lineno", 0)
    raise PolicyStopped(f"line {line}: {sentence}" if line else sentence, line)


class _Counting(ast.NodeTransformer):
    """Rewrites a checked tree so that loops, calls and what they make are counted."""

    def _hook(self, name: str, at: ast.expr | ast.stmt, *args: ast.expr) -> ast.Call:
        line = ast.Constant(at.lineno)
        found = [line, *args] if name == "_call" else [*args, line]
        call = ast.Call(ast.Name(name, ast.Load()), found, [])
        return ast.copy_location(call, at)

    def _tick(self, at: ast.expr | ast.stmt) -> ast.stmt:
        return ast.copy_location(ast.Expr(self._hook("_tick", at)), at)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, self._tick(node))
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.generic_visit(node)
        pair = ast.Tuple([self._hook("_tick", node), node.body], ast.Load())
        picked = ast.Subscript(ast.copy_location(pair, node), ast.Constant(1), ast.Load())
        node.body = ast.copy_location(picked, node)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, self._tick(node))
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._hook("_each", node.iter, node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._hook("_each", node.iter, node.iter)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        call = self._hook("_call", node, node.func, *node.args)
        call.keywords = node.keywords
        return call

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return self._counted(node, node.op, node.left, node.right)

    def _counted(
        self, at: ast.expr | ast.stmt, op: ast.operator, left: ast.expr, right: ast.expr
    ) -> ast.expr:
        if isinstance(op, ast.Mult):
            return self._hook("_times", at, left, right)
        if isinstance(op, ast.Mod):
            call = ast.Call(ast.Name("_mod", ast.Load()), [left, right], [])
            return ast.copy_location(call, at)
        made = ast.copy_location(ast.BinOp(left, op, right), at)
        return self._hook("_made", at, made)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            known = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            value = self._counted(node, node.op, known, node.value)
            return ast.copy_location(ast.Assign([node.target], value), node)
        only = ast.Call(ast.Name("_plus", ast.Load()), [node.value], [])
        node.value = ast.copy_location(only, node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.slice, ast.Slice):
            return self._hook("_made", node, node)
        if not isinstance(node.slice, ast.Constant):
            node.slice = self._hook("_paid", node, node.slice)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        node.left = self._hook("_paid", node, node.left)
        node.comparators = [self._hook("_paid", node, value) for value in node.comparators]
        return node

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        self.generic_visit(node)
        node.key = self._hook("_paid", node, node.key)
        return node

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        self.generic_visit(node)
        node.elt = self._hook("_paid", node, node.elt)
        return node

    def visit_List(self, node: ast.List) -> ast.AST:
        return self._display(node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        return self._display(node)

    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        node.elts = [self._hook("_paid", node, value) for value in node.elts]
        return self._hook("_made", node, node)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        node.keys = [key and self._hook("_paid", node, key) for key in node.keys]
        return self._hook("_made", node, node)

    def _display(self, node: Any) -> ast.AST:
        self.generic_visit(node)
        loads = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        return self._hook("_made", node, node) if loads else node
