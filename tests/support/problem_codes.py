"""The codes that the program can print, found in its source and in the schemas."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.support.project import ROOT

_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OTHER_PACKAGES = {"ledger", "intercom", "sandbox", "deliver", "git"}  # their codes are those of HTTP, SQL and Intercom


def find_codes() -> set[str]:
    """Every `x-code` of a schema, and every text that stands where the program takes a code or sets one."""
    return {code for code in (*_codes_of_schemas(), *_codes_of_source()) if _CODE.fullmatch(code)}


def _codes_of_schemas() -> Iterator[str]:
    for path in (ROOT / "schema").glob("*.json"):
        yield from re.findall(r'"x-code": "([^"]+)"', path.read_text(encoding="utf-8"))


def _codes_of_source() -> Iterator[str]:
    root = ROOT / "runner"
    paths = [path for path in sorted(root.rglob("*.py")) if path.relative_to(root).parts[0] not in _OTHER_PACKAGES]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    positions: defaultdict[str, set[int]] = defaultdict(set)
    for tree in trees:
        for node in ast.walk(tree):
            for name, position in _takers(node):
                positions[name].add(position)
    for tree in trees:
        constants = dict(_constants(tree))
        for node in ast.walk(tree):
            for value in _values(node, positions):
                for part in [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]:
                    match part:
                        case ast.Constant(value=str(text)):
                            yield text
                        case ast.Name(id=name):
                            yield constants.get(name, "")


def _takers(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The name of a function or class that takes a `code`, and the position of this argument."""
    match node:
        case ast.FunctionDef(name=name, args=arguments) if name != "__init__":
            names = [argument.arg for argument in arguments.args]
            if "code" in names:
                yield name, names.index("code") - (names[0] in {"self", "cls"})
        case ast.ClassDef(name=name, body=body):
            fields = [each.target.id for each in body if isinstance(each, ast.AnnAssign) and _is_name(each.target)]
            if "code" in fields:
                yield name, fields.index("code")
            for each in body:
                if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                    names = [argument.arg for argument in each.args.args[1:]]
                    yield from [(name, names.index("code"))] if "code" in names else []


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text


def _values(node: ast.AST, positions: dict[str, set[int]]) -> Iterator[ast.expr]:
    """The expressions that are a code: an argument, a default, what is assigned to `code` or begins a `fault`."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in positions:
            yield from (arguments[position] for position in positions[name] if position < len(arguments))
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
        case ast.FunctionDef(args=parameters):
            names = [argument.arg for argument in parameters.args]
            defaults = zip(reversed(names), reversed(parameters.defaults), strict=False)
            yield from (value for name, value in defaults if name == "code")
        case ast.Assign(targets=[ast.Name(id="code")], value=value):
            yield value
        case ast.Assign(targets=[ast.Name(id="fault")], value=ast.IfExp(body=ast.Tuple(elts=[value, *_]))):
            yield value
        case ast.Assign(targets=[ast.Name(id="fault")], value=ast.Tuple(elts=[value, *_])):
            yield value
