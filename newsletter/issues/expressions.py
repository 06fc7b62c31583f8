"""Expressions: what an editor may ask of a reader, in Jinja's words, understood once and unable to reach outside.

`subscriber.name` and the like become plain names before Jinja compiles an expression, and only what stands on the
lists below may be in one: so no object of the program is within its reach, and no result is much longer than its text.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar
from urllib.parse import quote

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import BadInput
from newsletter.issues.traits import NOBODY, Traits
from subscribers import words

#: The longest expression, and the longest value that one is cut to.
LONGEST, CUT = 500, 500
#: What may be asked: `subscriber.WORD` and `list.WORD`.
FIELDS = ("name", "email", "language", "country", "audience", "topics", "attributes")
OF_LISTS = ("name", "title")
#: What may be done to a text: `subscriber.name.split(" ")`. None of these makes a text longer.
METHODS = {"split", "strip", "upper", "lower", "title", "capitalize", "startswith", "endswith"}
_TESTS = {"defined", "undefined", "none", "string", "number"}
_PLAIN = (
    nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.CondExpr, nodes.Concat, nodes.Add, nodes.Sub, nodes.Neg, nodes.Pos, nodes.Getitem, nodes.Slice,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Known:
    """The attributes that are declared, and the segments that there are."""

    attributes: frozenset[str]
    segments: frozenset[str]


class BadExpression(BadInput):
    """The expression cannot be understood, or asks for more than it may."""


@dataclass(frozen=True, kw_only=True)
class Expression:
    """An expression that is understood; `asks` are the plain names in it, `segments` those that it names."""

    text: str
    tree: nodes.Expr
    asks: frozenset[str]
    segments: frozenset[str]


def _default(value: object, other: object = "") -> object:
    """Return the value, or the other where it is empty: a reader's empty field is as good as none."""
    return other if value is None or value == "" or isinstance(value, jinja2.Undefined) else value


def _shortened(value: object, limit: int) -> str:
    text = str(value)
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


FILTERS: dict[str, Callable[..., object]] = {
    "default": _default,
    "upper": lambda value: str(value).upper(),
    "lower": lambda value: str(value).lower(),
    "title": lambda value: str(value).title(),
    "capitalize": lambda value: str(value).capitalize(),
    "trim": lambda value: str(value).strip(),
    "replace": lambda value, old, new: str(value).replace(str(old), str(new))[:CUT],
    "truncate": _shortened,
    "first": lambda value: next(iter(value), ""),
    "last": lambda value: list(value)[-1] if value else "",
    "length": lambda value: len(value),
    "join": lambda value, between="": str(between).join(map(str, value))[:CUT],
    "urlencode": lambda value: quote(str(value), safe=""),
    "int": lambda value, other=0: int(value) if str(value).lstrip("+-").isdecimal() else other,
}

_SANDBOX = ImmutableSandboxedEnvironment(undefined=jinja2.ChainableUndefined, autoescape=False)
_SANDBOX.globals.clear()
_SANDBOX.filters = dict(FILTERS)


def read(text: str, known: Known | None = None) -> Expression:
    """Return what the text asks, or raise BadExpression; without `known` any attribute and segment may be named."""
    if len(text) > LONGEST:
        raise BadExpression(f"an expression has at most {LONGEST} characters, and this one {len(text)}; shorten it")
    reader = _Reader(known)
    try:
        tree = reader.read(_parsed(text))
        made = Expression(text=text, tree=tree, asks=frozenset(reader.asks), segments=frozenset(reader.segments))
        _compiled([tree])
    except RecursionError as error:
        raise BadExpression("it is nested too deep; write it shorter") from error
    except BadExpression:
        raise
    except Exception as error:  # the compiler works out what is constant, and that can fail in any way
        raise BadExpression(f"{error}; mend it") from error
    return made


def _parsed(text: str) -> nodes.Expr:
    try:
        parser = jinja2.parser.Parser(_SANDBOX, text, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise BadExpression(f"{parser.stream.current.value!r} is too much; write one expression")
    except jinja2.TemplateSyntaxError as error:
        raise BadExpression(f"{error.message}; mend it") from error
    return tree


class _Reader:
    """Turns an expression's tree into one of plain names, and refuses whatever is on no list."""

    def __init__(self, known: Known | None) -> None:
        self.known = known
        self.asks: set[str] = set()
        self.segments: set[str] = set()

    def read(self, node: Any) -> Any:
        match node:
            case nodes.Getattr():
                return self._name(node)
            case nodes.Call():
                return self._call(node)
            case nodes.Name():
                raise BadExpression(
                    f"{node.name} is nothing that can be asked; ask subscriber.name, subscriber.attributes.WORD, "
                    "list.title and the like"
                )
            case nodes.Filter():
                self._among(node.name, FILTERS, "filter")
            case nodes.Test():
                self._among(node.name, _TESTS, "test")
            case _ if not isinstance(node, _PLAIN):
                raise BadExpression(f"{type(node).__name__.lower()} is not possible here; write it otherwise")
        return self._within(node)

    def _within(self, node: nodes.Node) -> nodes.Node:
        if getattr(node, "dyn_args", None) or getattr(node, "dyn_kwargs", None) or getattr(node, "kwargs", None):
            raise BadExpression("arguments are written one by one and without names; write it otherwise")
        for field, value in node.iter_fields():
            if isinstance(value, nodes.Node):
                setattr(node, field, self.read(value))
            elif isinstance(value, list):
                setattr(node, field, [self.read(each) if isinstance(each, nodes.Node) else each for each in value])
        return node

    def _name(self, node: nodes.Getattr) -> nodes.Expr:
        match node.node:
            case nodes.Name(name="subscriber") if node.attr in FIELDS and node.attr != "attributes":
                return self._plain(f"subscriber_{node.attr}")
            case nodes.Name(name="list") if node.attr in OF_LISTS:
                return self._plain(f"list_{node.attr}")
            case nodes.Getattr(node=nodes.Name(name="subscriber"), attr="attributes"):
                if self.known and node.attr not in self.known.attributes:
                    raise BadExpression(
                        f"no attribute {node.attr} is declared{words.near(node.attr, self.known.attributes)}; declare "
                        f"it: newsletter subscribers attributes add {node.attr}"
                    )
                return self._plain(f"attribute_{node.attr}")
            case nodes.Name(name="subscriber"):
                near = words.near(node.attr, FIELDS)
                raise BadExpression(f"subscriber.{node.attr} is not known{near}; there are {', '.join(FIELDS)}")
        raise BadExpression(f".{node.attr} is not possible here; write it otherwise")

    def _plain(self, name: str) -> nodes.Expr:
        self.asks.add(name)
        return nodes.Name(name, "load", lineno=1)

    def _call(self, node: nodes.Call) -> nodes.Expr:
        match node:
            case nodes.Call(node=nodes.Name(name="segment"), args=[nodes.Const(value=str(name))]):
                return self._segment(name)
            case nodes.Call(node=nodes.Getattr(attr=attr, node=inner)) if attr in METHODS:
                node.node.node = self.read(inner)  # type: ignore[attr-defined]
                called, node.node = node.node, nodes.Const(None)
                self._within(node)
                node.node = called
                return node
        raise BadExpression(f"what can be called is segment('NAME') and, of a text, {', '.join(sorted(METHODS))}")

    def _segment(self, name: str) -> nodes.Expr:
        if self.known and name not in self.known.segments:
            raise BadExpression(
                f"there is no segment {name}{words.near(name, self.known.segments)}; see: newsletter segments list"
            )
        self.segments.add(name)
        self.asks.add("segments")
        among = nodes.Name("segments", "load", lineno=1)
        return nodes.Compare(nodes.Const(name), [nodes.Operand("in", among)], lineno=1)

    def _among(self, name: str, there: Collection[str], what: str) -> None:
        if name not in there:
            raise BadExpression(f"there is no {what} {name}{words.near(name, there)}; there are {', '.join(there)}")


class Evaluator:
    """Several expressions, compiled together: one call answers them all for one reader."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._asks = [_getter(name) for name in sorted({name for each in expressions for name in each.asks})]
        self._all = _compiled([each.tree for each in expressions])
        self._each = [_compiled([each.tree]) for each in expressions]

    def __call__(self, traits: Traits) -> tuple[object, ...]:
        """Return what each expression comes to; one that fails for this reader comes to the empty text."""
        asked = _Context.of(self._asks, traits)
        try:
            return _run(self._all, asked)
        except Exception:  # a reader's values may be of any kind: none of them may stop a send
            return tuple(_alone(each, asked) for each in self._each)


def fails(expression: Expression, traits: Traits = NOBODY) -> str:
    """Return why the expression fails for a reader, empty where it does not: one without a value is the usual case."""
    try:
        _run(_compiled([expression.tree]), _Context.of(map(_getter, expression.asks), traits))
    except Exception as error:
        return str(error) or type(error).__name__
    return ""


def shown(answer: object) -> str:
    """Return what an expression came to as a reader sees it."""
    return "" if answer is None or answer is False else str(answer)[:CUT]


#: A plain name with what looks it up.
_Getter = tuple[str, Callable[[Traits], object]]


def _getter(name: str) -> _Getter:
    if name.startswith("attribute_"):
        attribute = name.removeprefix("attribute_")
        return name, lambda traits: traits.attributes.get(attribute, "")
    return name, attrgetter(name.removeprefix("subscriber_"))


class _Context(dict[str, Any]):
    """What is asked, as much like Jinja's context as a compiled expression needs: a whole one takes longer than it."""

    resolve_or_missing = dict.__getitem__
    exported_vars: ClassVar[set[str]] = set()

    @classmethod
    def of(cls, asks: Iterable[_Getter], traits: Traits) -> "_Context":
        """Return what is asked of one reader."""
        asked = cls()
        for name, get in asks:
            asked[name] = get(traits)
        return asked

    @property
    def vars(self) -> "_Context":
        """Take the answers in, too."""
        return self

    def call(self, what: Callable[..., object], *arguments: object) -> object:
        """Return what a text's method returns; the sandbox has looked at it."""
        return what(*arguments)


def _compiled(trees: Sequence[nodes.Expr]) -> jinja2.Template:
    answers = nodes.Tuple(list(trees), "load", lineno=1)
    template = nodes.Template([nodes.Assign(nodes.Name("answers", "store", lineno=1), answers, lineno=1)], lineno=1)
    template.set_environment(_SANDBOX)
    return _SANDBOX.from_string(template)


def _run(template: jinja2.Template, asked: _Context) -> tuple[object, ...]:
    next(template.root_render_func(asked), None)  # type: ignore[arg-type]
    found: tuple[object, ...] = asked["answers"]
    return found


def _alone(template: jinja2.Template, asked: _Context) -> object:
    try:
        return _run(template, asked)[0]
    except Exception:
        return ""
