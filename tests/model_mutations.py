"""Models made wrong at random: single bits and lengths of the file, or fields of the message."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

TEXTS = ("", "x", "y", "r1", "w1", "If", "Loop", "Clip", "../x", "A" * 300, "é\x00\n", "Constant",
         "Reshape", "ConstantOfShape", "Expand", "Softmax", "com.microsoft")  # fmt: skip
NUMBERS = (0, 1, -1, 2, 7, 16, 2**31 - 1, 2**31, 2**40, 2**62, -(2**63))
BYTES = (b"", bytes(8), b"\xff" * 8, b"\xff" * 5, b"\xfe\xff")


def damaged(content: bytes, seed: int) -> bytes:
    """Return the file of a model with something wrong in it; the same for the same seed."""
    rng = random.Random(seed)
    return _bits(content, rng) if seed % 4 == 0 else _fields(content, rng)


def _bits(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    if rng.random() < 0.2:
        return bytes(changed[: rng.randrange(len(changed))])
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _fields(content: bytes, rng: random.Random) -> bytes:
    model = onnx.ModelProto.FromString(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        messages = _messages(model)
        message = rng.choice(messages)
        given = [field for field, _ in message.ListFields()]
        field = rng.choice(given if given and rng.random() < 0.8 else message.DESCRIPTOR.fields)
        if rng.random() < 0.15:
            message.ClearField(field.name)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            _change_message(message, field, messages, rng)
        else:
            _change_value(message, field, rng)
    return model.SerializeToString()


def _messages(message: Message) -> list[Message]:
    found = [message]
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in value if field.is_repeated else (value,):
                found += _messages(inner)
    return found


def _change_message(
    message: Message, field: FieldDescriptor, messages: list[Message], rng: random.Random
) -> None:
    alike = [one for one in messages if one.DESCRIPTOR is field.message_type]
    copy = type(alike[0]).FromString(rng.choice(alike).SerializeToString()) if alike else None
    place = getattr(message, field.name)
    if not field.is_repeated:
        place.SetInParent() if copy is None else place.CopyFrom(copy)
    elif place and rng.random() < 0.4:
        del place[rng.randrange(len(place))]
    elif copy is not None:
        place.add().CopyFrom(copy)


def _change_value(message: Message, field: FieldDescriptor, rng: random.Random) -> None:
    value = _value(field, rng)
    place = getattr(message, field.name)
    with suppress(ValueError):  # a closed enumeration takes no other number
        if not field.is_repeated:
            setattr(message, field.name, value)
        elif place and rng.random() < 0.5:
            place[rng.randrange(len(place))] = value
        else:
            place.append(value)


def _value(field: FieldDescriptor, rng: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return rng.choice(TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return rng.choice(BYTES)
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e30))
    if field.type == FieldDescriptor.TYPE_ENUM:
        return rng.choice((0, 1, 2, 3))
    number = rng.choice(NUMBERS)
    if field.type == FieldDescriptor.TYPE_INT32:
        return max(-(2**31), min(number, 2**31 - 1))
    return abs(number) if field.type == FieldDescriptor.TYPE_UINT64 else number
