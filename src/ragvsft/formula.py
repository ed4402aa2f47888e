"""One formula, read in several ways.

A formula is an ordinary Python function of named quantities. Called with numbers or NumPy arrays it
computes. Called with `Traced` symbols it records itself, operation by operation and in order, and
`javascript` prints the record as a function that gives the same doubles in a browser. Called with SymPy
symbols it becomes an equation.

Formulas use + - * /, comparisons, & | ~ on conditions, and the functions below. Anything else that would be
lost in the recording (`if`, `**`, `math.*`, `%`, `//`, `==`) raises at trace time.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

Quantity = Any
"""A number, a NumPy array, a `Traced` value or a SymPy expression."""


class Traced:
    """A value that remembers how it was computed."""

    __slots__ = ("args", "op", "transcendental")
    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __init__(self, op: str, *args: Any) -> None:
        self.op = op
        self.args = args
        self.transcendental: bool = op in ("exp", "expm1", "log") or any(
            isinstance(arg, Traced) and arg.transcendental for arg in args
        )
        if self.transcendental and op in ("ceil", "floor", "<", "<=", ">", ">="):
            raise TypeError(
                f"'{op}' on a result of exp or log: Python and the browser round those differently, "
                "so the two could take different branches"
            )

    def __add__(self, other: Quantity) -> Traced:
        return Traced("+", self, other)

    def __radd__(self, other: Quantity) -> Traced:
        return Traced("+", other, self)

    def __sub__(self, other: Quantity) -> Traced:
        return Traced("-", self, other)

    def __rsub__(self, other: Quantity) -> Traced:
        return Traced("-", other, self)

    def __mul__(self, other: Quantity) -> Traced:
        return Traced("*", self, other)

    def __rmul__(self, other: Quantity) -> Traced:
        return Traced("*", other, self)

    def __truediv__(self, other: Quantity) -> Traced:
        return Traced("/", self, other)

    def __rtruediv__(self, other: Quantity) -> Traced:
        return Traced("/", other, self)

    def __neg__(self) -> Traced:
        return Traced("neg", self)

    def __lt__(self, other: Quantity) -> Traced:
        return Traced("<", self, other)

    def __le__(self, other: Quantity) -> Traced:
        return Traced("<=", self, other)

    def __gt__(self, other: Quantity) -> Traced:
        return Traced(">", self, other)

    def __ge__(self, other: Quantity) -> Traced:
        return Traced(">=", self, other)

    def __and__(self, other: Quantity) -> Traced:
        return Traced("&&", self, other)

    def __or__(self, other: Quantity) -> Traced:
        return Traced("||", self, other)

    def __invert__(self) -> Traced:
        return Traced("!", self)

    def _refuse(self, *_: Any) -> Any:
        raise TypeError(
            "a formula may use + - * /, < <= > >=, & | ~ and where, minimum, maximum, ceil, floor, exp, "
            "expm1, log, sqrt; an if, and, or, not, ==, **, //, % or math function cannot be recorded"
        )

    __bool__ = __float__ = __int__ = __index__ = _refuse
    __pow__ = __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = _refuse
    __eq__ = __ne__ = _refuse
    __abs__ = __round__ = __ceil__ = __floor__ = __trunc__ = _refuse


def _is_sympy(value: Quantity) -> bool:
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, sympy.Basic)


def _apply(op: str, compute: Callable[..., Quantity], symbolic: str, *args: Quantity) -> Quantity:
    if any(isinstance(arg, Traced) for arg in args):
        return Traced(op, *args)
    if any(_is_sympy(arg) for arg in args):
        return getattr(sys.modules["sympy"], symbolic)(*args)
    value = compute(*args)
    return value if isinstance(value, np.ndarray) and value.ndim else float(value)


def where(condition: Quantity, if_true: Quantity, if_false: Quantity) -> Quantity:
    """`if_true` where the condition holds, else `if_false`; both are computed, so guard divisions by zero."""
    if isinstance(condition, bool):
        return if_true if condition else if_false
    if any(isinstance(arg, Traced) for arg in (condition, if_true, if_false)):
        return Traced("where", condition, if_true, if_false)
    if any(_is_sympy(arg) for arg in (condition, if_true, if_false)):
        return sys.modules["sympy"].Piecewise((if_true, condition), (if_false, True))
    if any(isinstance(arg, np.ndarray) for arg in (condition, if_true, if_false)):
        return np.where(condition, if_true, if_false)
    return if_true if condition else if_false


def minimum(a: Quantity, b: Quantity) -> Quantity:
    """The smaller of the two, element by element."""
    return _apply("min", np.minimum, "Min", a, b)


def maximum(a: Quantity, b: Quantity) -> Quantity:
    """The larger of the two, element by element."""
    return _apply("max", np.maximum, "Max", a, b)


def ceil(x: Quantity) -> Quantity:
    """The smallest whole number that is not below x."""
    return _apply("ceil", np.ceil, "ceiling", x)


def floor(x: Quantity) -> Quantity:
    """The largest whole number that is not above x."""
    return _apply("floor", np.floor, "floor", x)


def exp(x: Quantity) -> Quantity:
    """e to the power x."""
    return _apply("exp", np.exp, "exp", x)


def expm1(x: Quantity) -> Quantity:
    """e to the power x, minus 1, without losing digits where x is small."""
    return _apply("expm1", np.expm1, "exp", x) - (1 if _is_sympy(x) else 0)


def log(x: Quantity) -> Quantity:
    """The natural logarithm of x."""
    return _apply("log", np.log, "log", x)


def sqrt(x: Quantity) -> Quantity:
    """The square root."""
    return _apply("sqrt", np.sqrt, "sqrt", x)


def trace(model: Callable[[Any], Mapping[str, Quantity]], inputs: Iterable[str]) -> dict[str, Quantity]:
    """Call `model` with a namespace of symbols, one for each input name, and return what it recorded."""
    return dict(model(SimpleNamespace(**{name: Traced("input", name) for name in inputs})))


def symbolic(function: Callable[..., Quantity], **latex_names: str) -> Any:
    """The function as a SymPy expression; `latex_names` gives a symbol for a parameter, else its own name."""
    import sympy

    return function(
        *(
            sympy.Symbol(latex_names.get(name, rf"\text{{{name.replace('_', ' ')}}}"), positive=True)
            for name in inspect.signature(function).parameters
        )
    )


_CALLS = {"min": "Math.min", "max": "Math.max", "ceil": "Math.ceil", "floor": "Math.floor"}
_CALLS |= {"exp": "Math.exp", "expm1": "Math.expm1", "log": "Math.log", "sqrt": "Math.sqrt"}


def javascript(name: str, inputs: Iterable[str], outputs: Mapping[str, Quantity]) -> str:
    """A JavaScript function `name(i)` from an object of inputs to an object of outputs.

    Operations keep their order, so + - * /, comparisons, min, max, ceil and floor give the same doubles as
    Python. A value used more than once is computed once.
    """
    uses: dict[str, int] = {}
    nodes: dict[str, tuple[str, list[str]]] = {}
    numbers: dict[tuple[str, tuple[str, ...]], str] = {}
    by_identity: dict[int, str] = {}

    def visit(value: Quantity) -> str:
        if not isinstance(value, Traced):
            return _literal(value)
        if id(value) not in by_identity:
            args = list(value.args) if value.op == "input" else [visit(arg) for arg in value.args]
            key = numbers.setdefault((value.op, tuple(args)), f"t{len(numbers)}")
            if key not in nodes:
                nodes[key] = (value.op, args)
                for arg in args if value.op != "input" else ():
                    uses[arg] = uses.get(arg, 0) + 1
            by_identity[id(value)] = key
        return by_identity[id(value)]

    results = {key: visit(value) for key, value in outputs.items()}
    for key in results.values():
        uses[key] = uses.get(key, 0) + 1

    lines: list[str] = []
    text: dict[str, str] = {}
    for key, (op, args) in nodes.items():
        expression = _expression(op, args if op == "input" else [text.get(arg, arg) for arg in args])
        if uses[key] > 1:
            lines.append(f"const {key}={expression};")
            text[key] = key
        else:
            text[key] = expression
    returned = ",".join(f"{key}:{text.get(value, value)}" for key, value in results.items())
    return f"function {name}(i){{{''.join(lines)}return{{{returned}}};}}"


def _literal(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"a formula holds the constant {number}: only finite numbers can be printed")
    text = repr(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    return f"({text})" if text.startswith("-") else text


def _expression(op: str, args: list[str]) -> str:
    if op == "input":
        return f"i[{json.dumps(args[0])}]" if "." in args[0] else f"i.{args[0]}"
    if op in _CALLS:
        return f"{_CALLS[op]}({','.join(args)})"
    if op == "where":
        return f"({args[0]}?{args[1]}:{args[2]})"
    if op == "neg":
        return f"(-{args[0]})"
    if op == "!":
        return f"(!{args[0]})"
    return f"({args[0]}{op}{args[1]})"
