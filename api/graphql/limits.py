"""What one request may cost. Measured before it is validated, each fragment once, so that measuring stays cheap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    Visitor,
    visit,
)
from strawberry.extensions import SchemaExtension

TOKENS_MAX: Final = 2_000
DEPTH_MAX: Final = 12
ALIASES_MAX: Final = 20
COST_MAX: Final = 20_000
PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 500
BODY_BYTES_MAX: Final = 256 * 1024
STATEMENT_SECONDS_MAX: Final = 20.0
SUBSCRIPTIONS_PER_CONNECTION_MAX: Final = 20
INTROSPECTION: Final = ("__schema", "__type")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LESS: Final = "Ask for fewer rows at once (first), or for fewer fields of each."


@dataclass(frozen=True, slots=True)
class Measure:
    """How deep a selection goes, how many aliases it has, and how many fields it may have to resolve."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: Measure) -> Measure:
        """Both, next to each other."""
        return Measure(max(self.depth, other.depth), self.aliases + other.aliases, self.cost + other.cost)


class _Circle(Exception):
    """A fragment contains itself."""


class Measuring:
    """Measures one document; ``variables`` tell the page sizes that are not written in it."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        self._variables = variables
        self._known: dict[str, Measure | None] = {}

    def whole(self) -> Measure:
        """All operations of the document."""
        result = Measure()
        for operation in self._operations:
            result = result.beside(self._of(operation.selection_set))
        return result

    def _of(self, selections: SelectionSetNode | None) -> Measure:
        result = Measure()
        for each in selections.selections if selections else ():
            match each:
                case FieldNode():
                    result = result.beside(self._of_field(each))
                case InlineFragmentNode():
                    result = result.beside(self._of(each.selection_set))
                case FragmentSpreadNode():
                    result = result.beside(self._of_fragment(each.name.value))
                case _:
                    continue
        return result

    def _of_field(self, field: FieldNode) -> Measure:
        if field.name.value in INTROSPECTION:
            return Measure(1, int(field.alias is not None), 1)
        below = self._of(field.selection_set)
        return Measure(
            below.depth + 1, below.aliases + int(field.alias is not None), 1 + below.cost * self._items(field)
        )

    def _of_fragment(self, name: str) -> Measure:
        if name not in self._known:
            self._known[name] = None
            fragment = self._fragments.get(name)
            self._known[name] = self._of(fragment.selection_set) if fragment else Measure()
        known = self._known[name]
        if known is None:
            raise _Circle(name)
        return known

    def _items(self, field: FieldNode) -> int:
        """How many items a field asks for: its first or last, or a page of a connection; 1 where it is no list."""
        asked = PAGE_DEFAULT if self._is_connection(field.selection_set, set()) else 1
        for argument in field.arguments or ():
            if argument.name.value in ("first", "last"):
                value: Any = None
                match argument.value:
                    case IntValueNode(value=digits):
                        value = int(digits) if len(digits) < 10 else PAGE_MAX
                    case VariableNode(name=name):
                        value = self._variables.get(name.value)
                    case _:
                        continue
                asked = value if isinstance(value, int) else PAGE_DEFAULT
        return max(1, min(asked, PAGE_MAX))

    def _is_connection(self, selections: SelectionSetNode | None, seen: set[str]) -> bool:
        """Whether the items of a connection are asked for, here or in a fragment."""
        for each in selections.selections if selections else ():
            match each:
                case FieldNode(name=name) if name.value in ("edges", "nodes"):
                    return True
                case InlineFragmentNode() if self._is_connection(each.selection_set, seen):
                    return True
                case FragmentSpreadNode(name=name) if name.value not in seen and name.value in self._fragments:
                    seen.add(name.value)
                    if self._is_connection(self._fragments[name.value].selection_set, seen):
                        return True
                case _:
                    continue
        return False


class Limits(SchemaExtension):
    """Refuses a request that is too long, too deep or too costly before any of it is validated or resolved."""

    def on_operation(self) -> Iterator[None]:
        """The parser stops at the token limit."""
        self.execution_context.parse_options["max_tokens"] = TOKENS_MAX
        yield

    def on_validate(self) -> Iterator[None]:
        """Errors that are there before validation end the request."""
        document = self.execution_context.graphql_document
        if document is not None and (problem := too_much(document, self.execution_context.variables or {})):
            self.execution_context.pre_execution_errors = [
                GraphQLError(problem, extensions={"code": "request.too_costly", "fix": _LESS})
            ]
        yield


class TextsCanBeKept(SchemaExtension):
    """Refuses text with NUL or half a character in it, which no database holds and so no object is called."""

    def on_validate(self) -> Iterator[None]:
        """Errors that are there before validation end the request."""
        execution, texts = self.execution_context, _Texts()
        if execution.graphql_document is not None:
            visit(execution.graphql_document, texts)
        if texts.cannot_be_kept or _cannot_be_kept(execution.variables or {}):
            execution.pre_execution_errors = [
                GraphQLError(
                    "A text holds NUL or half a character.",
                    extensions={"code": "request.unreadable_text", "fix": "Send text as Unicode without NUL."},
                )
            ]
        yield


class _Texts(Visitor):
    """The texts that are written in a document itself."""

    def __init__(self) -> None:
        super().__init__()
        self.cannot_be_kept = False

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """One of them."""
        self.cannot_be_kept |= _cannot_be_kept(node.value)


def _cannot_be_kept(value: object) -> bool:
    match value:
        case str():
            return _UNSTORABLE.search(value) is not None
        case Mapping():
            return any(map(_cannot_be_kept, value.values()))
        case list():
            return any(map(_cannot_be_kept, value))
        case _:
            return False


def too_much(document: DocumentNode, variables: Mapping[str, Any]) -> str | None:
    """Which limit a document passes, in a sentence; None when it stays within all."""
    try:
        measure = Measuring(document, variables).whole()
    except _Circle as circle:
        return f"Fragment {circle} contains itself."
    except RecursionError:
        return f"The request is deeper than {DEPTH_MAX} levels."
    if measure.depth > DEPTH_MAX:
        return f"The request is {measure.depth} levels deep, at most {DEPTH_MAX} are answered."
    if measure.aliases > ALIASES_MAX:
        return f"The request has {min(measure.aliases, 10**6)} aliases, at most {ALIASES_MAX} are answered."
    if measure.cost > COST_MAX:
        return f"The request may cost {min(measure.cost, 10**9)} fields, at most {COST_MAX} are answered."
    return None
