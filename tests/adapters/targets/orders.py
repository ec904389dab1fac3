"""Outgoing messages for tests of targets, as the ledger makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adapters.broker import Outgoing
from adapters.targets.target import Work

GOLDEN = Path(__file__).parent.parent / "outbox" / "golden"


def invoice(name: str = "I-1", request: int = 4, **changes: Any) -> Work:
    """An ERP has to post an invoice; its number follows its name."""
    message = json.loads((GOLDEN / "invoice.post.v1.json").read_text())
    id_ = f"invoice:{name}@{request}"
    message |= {"id": id_, "invoice": name, "number": f"DE01-2026-{name}", **changes}
    return Work(id_, "invoice.post.v1", f"invoice:{name}", json.dumps(message).encode())


def project(name: str = "P-1", request: int = 2, **changes: Any) -> Work:
    """A target has to create a project."""
    message = json.loads((GOLDEN / "project.create.v1.json").read_text())
    id_ = f"project:{name}@{request}"
    message |= {"id": id_, "project": name, **changes}
    return Work(id_, "project.create.v1", f"project:{name}", json.dumps(message).encode())


def published(target: str, work: Work) -> Outgoing:
    """The work as the relay publishes it."""
    verb = work.type.removesuffix(".v1")
    headers = {"ce-id": work.id, "ce-type": work.type, "ce-subject": work.key}
    return Outgoing(f"p2c.out.{target}.{verb}", work.payload, headers, work.id)
