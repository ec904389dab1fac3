"""The published form of events: what is recorded reads back equal, for ever, or is not recorded at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import (
    CoreSchema,
    PydanticSerializationError,
    SchemaSerializer,
    SchemaValidator,
    core_schema,
    to_json,
)

from adapters.eventstore.errors import CatalogueError, UnfaithfulEvent, UnknownEventName, UnreadableEvent
from adapters.eventstore.plain import Check, plainness_of
from domain.kernel import Cause

Upcasts = Mapping[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]]
"""Old published name -> the name that replaced it, and how the old payload becomes the new one."""

_CAUSE: Final = "cause"
_NOT_SCHEMAS: Final = frozenset({"metadata", "default", "config", "cls", "members", "expected", "ref", "serialization"})
_UNPUBLISHABLE: Final = {
    "float": "use Decimal",
    "any": "name the type",
    "list": "use a tuple",
    "set": "use a frozenset",
    "callable": "facts are data",
    "is-instance": "use a dataclass or a plain value",
}


@dataclass(frozen=True, slots=True)
class _Form:
    """How one kind of event is written, read and described."""

    write: Callable[..., bytes]
    read: Callable[[bytes], Any]
    read_with_cause: Callable[[bytes], dict[str, Any]]
    adapter: TypeAdapter[Any]
    is_plain: Check


class _Forms(dict[str, _Form]):
    """The forms of a catalogue, each made when it is first asked for; ``names`` are all that can be asked for."""

    def __init__(self, catalogue: Mapping[str, type]) -> None:
        super().__init__()
        self.names = frozenset(catalogue)
        self._catalogue = dict(catalogue)

    def __missing__(self, name: str) -> _Form:
        form = self[name] = _form(name, self._catalogue[name])
        return form


class Codec:
    """Writes and reads events under their published names.

    The stored form is compact JSON, ``{"e": event, "c": cause}``: decimals as strings, times with their offset, sets
    sorted. Reading is strict: no unknown fields, no missing ones without a default, no numbers for decimals, no times
    without a zone. Writing reads the bytes back and compares, so that the log never holds what nobody can read; facts
    that are plain (see ``plain``) are known to read back equal, and are spared that.
    """

    def __init__(
        self, catalogue: Mapping[str, type], upcasts: Upcasts | None = None, *, on_demand: bool = False
    ) -> None:
        """Proves that the whole catalogue can be published; ``on_demand`` leaves that to the first use of each name.

        Making the form of an event takes milliseconds; a program that starts with a proved catalogue need not wait.
        """
        self._upcasts: Upcasts = dict(upcasts or {})
        self._forms = _Forms(catalogue)
        if not on_demand:
            for name in catalogue:
                self._forms[name]
        self._names = {kind: name for name, kind in catalogue.items()}
        self._cause = _form(_CAUSE, Cause)
        self._last_cause: tuple[Cause | None, bytes] = (None, b"")
        if len(self._names) < len(catalogue):
            twice = sorted(name for name, kind in catalogue.items() if self._names[kind] != name)
            raise CatalogueError(f"one class has one name, but these name a class again: {', '.join(twice)}")
        self._current = {old: self._newest(old) for old in self._upcasts}

    @property
    def names(self) -> frozenset[str]:
        """All names that can be read, the old ones too."""
        return self._forms.names | frozenset(self._upcasts)

    def name_of(self, event: Any) -> str:
        """The published name of an event."""
        name = self._names.get(type(event))
        if name is None:
            raise UnknownEventName(f"{type(event).__name__} has no published name")
        return name

    def current_name(self, name: str) -> str:
        """The name under which an event of this name is read today."""
        return self._current.get(name, name)

    def encode(self, event: Any, cause: Cause) -> tuple[str, bytes]:
        """The published name and the stored form of an event and its cause."""
        name = self.name_of(event)
        known, why = self._last_cause
        if known is not cause:
            why = _write(self._cause, _CAUSE, cause)
            self._last_cause = (cause, why)
        return name, b"".join((b'{"e":', _write(self._forms[name], name, event), b',"c":', why, b"}"))

    def decode(self, name: str, stored: bytes) -> tuple[Any, Cause]:
        """The event and its cause; old versions come back in today's shape."""
        if name not in self._forms.names:
            name, stored = self._upcast(name, stored)
        form = self._forms[name]
        try:
            found = form.read_with_cause(stored)
        except ValidationError as error:
            raise UnreadableEvent(f"{name}: {error}") from error
        return found["e"], found["c"]

    def json_schema(self, name: str) -> dict[str, Any]:
        """The JSON Schema of an event as it is published, without its cause."""
        if name not in self._forms.names:
            raise UnknownEventName(name)
        form = self._forms[name]
        return {"$id": name, **form.adapter.json_schema(mode="serialization")}

    def _newest(self, old: str) -> str:
        name, seen = old, {old}
        if old in self._forms.names:
            raise CatalogueError(f"{old} is both a current name and an old one")
        while name in self._upcasts:
            name = self._upcasts[name][0]
            if name in seen:
                raise CatalogueError(f"the upcasts of {old} go round in a circle")
            seen.add(name)
        if name not in self._forms.names:
            raise CatalogueError(f"the upcast of {old} leads to {name}, which is not in the catalogue")
        return name

    def _upcast(self, name: str, stored: bytes) -> tuple[str, bytes]:
        if name not in self._upcasts:
            raise UnknownEventName(name)
        try:
            body = json.loads(stored)
            payload = body["e"]
            while name in self._upcasts:
                name, change = self._upcasts[name]
                payload = change(payload)
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableEvent(f"{name}: {error!r}") from error
        return name, to_json({"e": payload, "c": body.get("c")})


@cache  # a class is published in one way, and finding it out takes milliseconds
def _form(name: str, kind: type) -> _Form:
    if not is_dataclass(kind):
        raise CatalogueError(f"{name}: {kind.__name__} is not a dataclass")
    try:
        adapter = TypeAdapter(kind)
        adapter.rebuild(raise_errors=True)
    except (PydanticUserError, NameError) as error:
        raise CatalogueError(f"{name}: {error}") from error
    for kind_of_schema in _kinds(adapter.core_schema):
        if advice := _UNPUBLISHABLE.get(kind_of_schema):
            raise CatalogueError(f"{name}: a field of kind {kind_of_schema} cannot be published, {advice}")
    strict = _strict(adapter.core_schema)
    return _Form(
        write=SchemaSerializer(_serializable(adapter.core_schema)).to_json,
        read=SchemaValidator(strict).validate_json,
        read_with_cause=SchemaValidator(_with_cause(strict)).validate_json,
        adapter=adapter,
        is_plain=plainness_of(kind),
    )


def _with_cause(event: CoreSchema) -> CoreSchema:
    """An event and its cause as they are stored: both are there, and nothing else."""
    parts: dict[str, core_schema.TypedDictField] = {}
    shared: list[CoreSchema] = []
    for key, schema in (("e", event), ("c", _cause_schema())):
        part = schema
        if schema["type"] == "definitions":
            part = schema["schema"]
            shared += schema["definitions"]
        parts[key] = core_schema.typed_dict_field(part)
    whole = core_schema.typed_dict_schema(parts, strict=True, extra_behavior="forbid")
    return core_schema.definitions_schema(whole, shared) if shared else whole


@cache
def _cause_schema() -> CoreSchema:
    return _strict(TypeAdapter(Cause).core_schema)


def _write(form: _Form, name: str, fact: Any) -> bytes:
    """The bytes of an event or a cause that reads back as what was written: because it is plain, or by proof."""
    try:
        if form.is_plain(fact):
            return form.write(fact, exclude_none=name == _CAUSE)
        written = form.write(fact, warnings="error", exclude_none=name == _CAUSE)
        again = form.read(written)
    except (PydanticSerializationError, ValidationError) as error:
        raise UnfaithfulEvent(f"{name}: {error}") from error
    if not (again == fact or _same(again, fact)):
        raise UnfaithfulEvent(f"{name}: {fact!r} would read back as {again!r}")
    return written


def _kinds(schema: Any) -> Iterator[str]:
    """Every kind of value that a schema is made of."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema["type"]
        for key, value in schema.items():
            if key not in _NOT_SCHEMAS:
                yield from _kinds(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _kinds(value)


def _rewritten(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The same schema with each of its parts changed, the inner ones first."""
    if isinstance(schema, dict):
        inner = {k: v if k in _NOT_SCHEMAS else _rewritten(v, change) for k, v in schema.items()}
        return change(inner)
    if isinstance(schema, list | tuple):
        return type(schema)(_rewritten(value, change) for value in schema)
    return schema


def _strict(schema: CoreSchema) -> CoreSchema:
    """For reading: nothing unknown, nothing converted, times with a zone, decimals from text only."""

    def change(part: dict[str, Any]) -> dict[str, Any]:
        match part.get("type"):
            case "dataclass":
                config = {**part.get("config", {}), "strict": True, "extra_fields_behavior": "forbid"}
                return {**part, "config": config, "strict": False}  # strict here would ask for instances
            case "datetime":
                return {**part, "tz_constraint": "aware"}
            case "decimal":
                return {"type": "chain", "steps": [{"type": "str", "strict": True}, {**part, "strict": False}]}
            case _:
                return part

    result: CoreSchema = _rewritten(schema, change)
    return result


def _serializable(schema: CoreSchema) -> CoreSchema:
    """For writing: sets in the order of their members' own JSON, so that equal events have equal bytes."""

    def change(part: dict[str, Any]) -> dict[str, Any]:
        if part.get("type") != "frozenset":
            return part
        members = {"type": "list", "items_schema": part.get("items_schema", {"type": "any"})}
        ordered = {"type": "function-plain", "function": _sorted_members, "return_schema": members}
        return {**part, "serialization": ordered}

    result: CoreSchema = _rewritten(schema, change)
    return result


def _sorted_members(members: frozenset[Any]) -> list[Any]:
    return sorted(members, key=to_json)


def _same(left: Any, right: Any) -> bool:
    """Equal in every part, where a time in a repeated hour equals the same time written with its offset.

    Python calls such times unequal across zones (PEP 495), although they are the same instant and offset.
    """
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left.isoformat() == right.isoformat()
    if type(left) is not type(right):
        return False
    if is_dataclass(left):
        return all(_same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left))
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    return bool(left == right)
