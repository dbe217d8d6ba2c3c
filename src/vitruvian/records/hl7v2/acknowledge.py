"""The answer to a message: AA (taken), AE (not taken, with the reason), AR (cannot take anything now). Chapter 2.9."""

from __future__ import annotations

from typing import Literal

from vitruvian.core.errors import LimitError, ReadingError
from vitruvian.core.time import from_us
from vitruvian.records.hl7v2.message import Message, parse

AckCode = Literal["AA", "AE", "AR"]


def acknowledge(data: bytes, code: AckCode, text: str = "", *, now_us: int) -> bytes:
    """An ACK for the message in `data`; one that cannot be parsed is still answered, with an empty control id.

    `text` goes to MSA-3 and ERR-8, its delimiters escaped; it must hold no patient data.
    """
    control, trigger, version, processing, us, them = "", "", "2.5", "P", "|", "|"
    try:
        message: Message | None = parse(data, "latin-1")
    except (ReadingError, LimitError):
        message = None
    if message is not None:
        header = message.header
        control, trigger = header.raw(10), header.get(9, 2)
        version, processing = header.get(12) or version, header.get(11) or processing
        us, them = f"{header.raw(5)}|{header.raw(6)}", f"{header.raw(3)}|{header.raw(4)}"
    stamp = from_us(now_us).strftime("%Y%m%d%H%M%S+0000")
    kind = f"ACK^{trigger}^ACK" if trigger else "ACK"
    lines = [
        f"MSH|^~\\&|{us}|{them}|{stamp}||{kind}|{stamp[:14]}{now_us % 1_000_000:06d}|{processing}|{version}",
        f"MSA|{code}|{control}" + (f"|{_escape(text)}" if text else ""),
    ]
    if code != "AA":
        lines.append(f"ERR|||207^Application internal error^HL70357|E||||{_escape(text)}")
    return ("\r".join(lines) + "\r").encode()


def _escape(text: str) -> str:
    clean = " ".join(text.split())[:500].replace("\\", "\\E\\")
    for character, code in (("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        clean = clean.replace(character, f"\\{code}\\")
    return clean
