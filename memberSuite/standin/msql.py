"""Read the MSQL subset: SELECT [TOP n] columns | OBJECTS() | OBJECT() FROM type [WHERE ..] [ORDER BY ..]."""

import re
from dataclasses import dataclass
from typing import Literal

from memberSuite.standin.criteria import Criterion, Group, Node
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.query import Output, Query

Shape = Literal["columns", "objects", "object"]
TOKEN = re.compile(
    r"\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)(?![\w.])|(<>|!=|>=|<=|[=<>(),*])|(\w+(?:\.\w+)*))",
    re.UNICODE,
)
OPERATIONS = {
    "=": "Equals",
    "<>": "DoesNotEqual",
    "!=": "DoesNotEqual",
    ">": "IsGreaterThan",
    ">=": "IsGreaterThanOrEqualTo",
    "<": "IsLessThan",
    "<=": "IsLessThanOrEqual",
}


@dataclass(frozen=True)
class Statement:
    shape: Shape
    query: Query


@dataclass(frozen=True)
class Token:
    kind: Literal["text", "number", "sign", "word", "end"]
    text: str


def syntax_error(what: str) -> RemoteError:
    return RemoteError("MSQLSyntaxError", f"Syntax error in the MSQL statement: {what}")


def tokens(statement: str) -> list[Token]:
    found: list[Token] = []
    position, end = 0, len(statement.rstrip())
    while position < end:
        match = TOKEN.match(statement, position)
        if match is None:
            raise syntax_error(f"near position {position}.")
        text, number, sign, word = match.groups()
        if text is not None:
            found.append(Token("text", text.replace("''", "'")))
        elif number is not None:
            found.append(Token("number", number))
        else:
            found.append(Token("sign", sign) if sign is not None else Token("word", word))
        position = match.end()
    return [*found, Token("end", "")]


class Parser:
    def __init__(self, statement: str) -> None:
        self.tokens = tokens(statement)
        self.position = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.token
        self.position += token.kind != "end"
        return token

    def accepts(self, text: str, kind: str = "word") -> bool:
        """Take the next token if it is this keyword or sign."""
        if self.token.kind == kind and self.token.text.upper() == text:
            self.position += 1
            return True
        return False

    def expect(self, text: str, kind: str = "word") -> None:
        if not self.accepts(text, kind):
            raise syntax_error(f"expected {text}, found {self.token.text[:40]!r}.")

    def name(self) -> str:
        token = self.take()
        if token.kind != "word":
            raise syntax_error(f"expected a name, found {token.text[:40]!r}.")
        return token.text

    def statement(self) -> Statement:
        self.expect("SELECT")
        top = self._number() if self.accepts("TOP") else None
        shape, columns = self._select()
        self.expect("FROM")
        kind = self.name()
        where = self._any() if self.accepts("WHERE") else Group()
        sort: list[tuple[str, bool]] = []
        if self.accepts("ORDER"):
            self.expect("BY")
            sort.append(self._sort())
            while self.accepts(",", "sign"):
                sort.append(self._sort())
        if self.token.kind != "end":
            raise syntax_error(f"unexpected {self.token.text[:40]!r}.")
        group = where if isinstance(where, Group) else Group("And", (where,))
        return Statement(shape, Query(kind, group, tuple(map(Output, columns)), tuple(sort), top))

    def _number(self) -> int:
        token = self.take()
        if token.kind != "number" or "." in token.text:
            raise syntax_error("expected a number after TOP.")
        return int(token.text)

    def _select(self) -> tuple[Shape, list[str]]:
        if self.accepts("*", "sign"):
            return "columns", ["*"]
        first = self.name()
        if first.upper() in ("OBJECTS", "OBJECT") and self.accepts("(", "sign"):
            self.expect(")", "sign")
            return ("objects" if first.upper() == "OBJECTS" else "object"), []
        columns = [first]
        while self.accepts(",", "sign"):
            columns.append(self.name())
        return "columns", columns

    def _sort(self) -> tuple[str, bool]:
        name = self.name()
        descending = self.accepts("DESC")
        if not descending:
            self.accepts("ASC")
        return name, descending

    def _any(self) -> Node:
        nodes = [self._all()]
        while self.accepts("OR"):
            nodes.append(self._all())
        return nodes[0] if len(nodes) == 1 else Group("Or", tuple(nodes))

    def _all(self) -> Node:
        nodes = [self._term()]
        while self.accepts("AND"):
            nodes.append(self._term())
        return nodes[0] if len(nodes) == 1 else Group("And", tuple(nodes))

    def _term(self) -> Node:
        if self.accepts("(", "sign"):
            inner = self._any()
            self.expect(")", "sign")
            return inner
        field = self.name()
        if self.accepts("IS"):
            operation = "IsNotBlank" if self.accepts("NOT") else "IsBlank"
            self.expect("NULL")
            return Criterion(operation, field)
        if self.accepts("LIKE"):
            return Criterion("Like", field, (self._value(),))
        sign = self.take()
        if sign.kind != "sign" or sign.text not in OPERATIONS:
            raise syntax_error(f"unexpected {sign.text[:40]!r} after {field[:40]}.")
        return Criterion(OPERATIONS[sign.text], field, (self._value(),))

    def _value(self) -> str:
        token = self.take()
        if token.kind in ("text", "number") or token.text.lower() in ("true", "false"):
            return token.text
        raise syntax_error(f"expected a value, found {token.text[:40]!r}.")


def parse(statement: str) -> Statement:
    """Read one statement; RemoteError MSQLSyntaxError when it is not in the subset."""
    return Parser(statement).statement()
