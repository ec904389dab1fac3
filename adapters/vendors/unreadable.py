"""Messages that cannot be read are kept whole and shown to a person; each way of being unreadable has its own name."""

from __future__ import annotations

from domain.kernel import Refused


class Unreadable(Refused):
    """The message cannot be read."""

    code = "message.unreadable"
    fix = "Correct the sender and send the message again; this one is kept whole."


class MalformedJson(Unreadable):
    """The message is not JSON."""

    code = "message.malformed_json"


class WrongType(Unreadable):
    """The message has fields that are missing or of another type than its system promises."""

    code = "message.wrong_type"
    fix = "Compare the message with the system's published form, and send it again corrected."


class TextWithNul(Unreadable):
    """A text in the message holds the character NUL, which is part of no text."""

    code = "message.text_with_nul"
    fix = "Take the character out where the text was written, and send the message again."


class FutureVersion(Unreadable):
    """The message is of a newer version than this program knows."""

    code = "message.future_version"
    fix = "Update the ledger, then retry this exception; or send the message in a version that is known."


class Oversize(Unreadable):
    """The message is larger than any message about one object."""

    code = "message.oversize"
    fix = "Send one object per message."


class UnknownSubject(Unreadable):
    """Messages come on p2c.in.<system>.<object>.<verb>, from systems and about objects that are known here."""

    code = "message.unknown_subject"
    fix = "Correct the subject in the gateway that publishes; the AsyncAPI document lists all of them."


class UnknownCommand(Unreadable):
    """There is no command of this name."""

    code = "message.unknown_command"
    fix = "Use one of the published command names; the AsyncAPI document lists all of them."


class WrongStream(Unreadable):
    """The command is addressed to a stream that it does not belong to."""

    code = "message.wrong_stream"
    fix = "Address the command to the stream of the object that it names."


class BadEnvelope(Unreadable):
    """The CloudEvents envelope is not one of version 1.0."""

    code = "message.bad_envelope"
    fix = "Send specversion 1.0 with id, source and type, and time with its offset."


class Defective(Unreadable):
    """The message cannot be worked on because of a defect of this program, not of the message."""

    code = "message.defect"
    fix = "Report the defect with the message's id; after the update, retry this exception."
