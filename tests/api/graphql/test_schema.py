"""What the whole schema promises, whatever is asked of it."""

from __future__ import annotations

import re

from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, build_schema, get_named_type

from api.graphql.schema import make_schema

_MEASURED = re.compile(
    "amount|price|value|net|gross|tax|cost|rate|percent|margin|revenue|hours|quantity|balance|debit|credit|due|paid"
)


def test_money_and_hours_are_texts_of_decimals_never_numbers_that_readers_may_round() -> None:
    schema = build_schema(make_schema(local=True).as_str())
    typed = [
        (f"{kind.name}.{name}", get_named_type(field.type).name)
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType | GraphQLInterfaceType)
        and not kind.name.startswith("__")
        for name, field in kind.fields.items()
    ]
    assert [name for name, kind in typed if kind == "Float"] == []
    whole = [name for name, kind in typed if kind == "Int"]
    assert [name for name in whole if _MEASURED.search(name.partition(".")[2])] == []
    assert len([name for name, kind in typed if kind == "Decimal"]) > 100
