"""Catalogues: compiles them, and checks that every text of the product has its Turkish.

Source texts are English, so English needs no catalogue. The Turkish one is locale/tr/LC_MESSAGES/django.po; while
several people work, each may write locale/parts/<app>.po, which counts like it until `merge` folds it in.

    python -m devtools.translations check | merge | compile | prune    # prune: delete what nobody reads any more
    python -m devtools.translations missing contacts templates/contacts    # a catalogue to fill in
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from devtools.environment import ROOT
from devtools.messages import Message, iter_bare_texts, iter_messages

CATALOGUE = ROOT / "locale" / "tr" / "LC_MESSAGES" / "django.po"
COMPILED = CATALOGUE.with_suffix(".mo")
PARTS = ROOT / "locale" / "parts"
HEADER = {
    "Project-Id-Version": "Peyk",
    "Language": "tr",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n > 1);",
}


def sources() -> list[Path]:
    return [path for path in (CATALOGUE, *sorted(PARTS.glob("*.po"))) if path.exists()]


def compile_catalogues() -> None:
    """Writes django.mo if a source is newer. It is not committed: two branches would always conflict in it."""
    newest = max((path.stat().st_mtime for path in sources()), default=0.0)
    if not newest or (COMPILED.exists() and COMPILED.stat().st_mtime >= newest):
        return
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    fresh = COMPILED.with_suffix(f".{os.getpid()}.new")
    read_catalogue().save_as_mofile(str(fresh))
    fresh.replace(COMPILED)


def read_catalogue() -> Any:
    """One polib catalogue of all sources; the first translation of a text wins."""
    import polib

    merged = polib.POFile(wrapwidth=110)
    merged.metadata = HEADER
    known: dict[tuple[str | None, str], Any] = {}
    for path in sources():
        for entry in polib.pofile(str(path)):
            key = (entry.msgctxt, entry.msgid)
            if entry.obsolete or (key in known and is_translated(known[key])):
                continue
            if key in known:
                merged.remove(known[key])
            known[key] = entry
            merged.append(entry)
    return merged


def is_translated(entry: Any) -> bool:
    if "fuzzy" in entry.flags:
        return False
    texts = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
    return bool(texts) and all(texts)


def check() -> list[str]:
    """Everything that is wrong, one line each: missing or fuzzy translations, lost placeholders, bare texts."""
    catalogue = {(entry.msgctxt, entry.msgid): entry for entry in read_catalogue()}
    problems: list[str] = []
    used: dict[tuple[str | None, str], Message] = {}
    try:
        for message in iter_messages():
            first = used.setdefault(message.key, message)
            if message.plural and not first.plural:
                used[message.key] = message
    except ValueError as error:
        problems.append(str(error))
    for message in used.values():
        problems += describe_problem(message, catalogue.get(message.key))
    problems += [f"{text}: goes around gettext" for text in iter_bare_texts()]
    return sorted(problems)


def describe_problem(message: Message, entry: Any | None) -> Iterator[str]:
    here = f"{message.place}: {message.text!r}"
    if entry is None or not is_translated(entry):
        yield f"{here} has no Turkish"
    elif message.plural and not entry.msgid_plural:
        yield f"{here} needs a plural in the catalogue"
    else:
        wanted = placeholders(message.text) | placeholders(message.plural or "")
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            if not placeholders(text) <= wanted or (not message.plural and placeholders(text) != wanted):
                yield f"{here}: other placeholders in {text!r}"


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sdf]|{\w*}|(?<!%)%[sd]", text.replace("%%", "")))


def merge() -> None:
    """Folds the parts into the catalogue, sorted, with the place of first use, and removes them."""
    places = {message.key: message.place.rsplit(":", 1)[0] for message in reversed(list(iter_messages()))}
    catalogue = read_catalogue()
    for entry in catalogue:
        place = places.get((entry.msgctxt, entry.msgid))
        entry.occurrences = [(place, "")] if place else []
    catalogue.sort(key=lambda entry: (entry.occurrences or [("~", "")], entry.msgid.lower(), entry.msgctxt or ""))
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(CATALOGUE))
    for path in PARTS.glob("*.po"):
        path.unlink()
    unused = [entry.msgid for entry in catalogue if not entry.occurrences]
    print(f"{len(catalogue)} texts in {CATALOGUE.relative_to(ROOT)}, {len(unused)} of them not used by the code")


def prune() -> None:
    """Deletes from the catalogue what neither the product nor a library says; theirs are there to be worded our way."""
    import polib

    said = {message.key for message in iter_messages()} | set(iter_library_keys())
    catalogue = polib.pofile(str(CATALOGUE), wrapwidth=110)
    unused = [entry for entry in catalogue if (entry.msgctxt, entry.msgid) not in said]
    for entry in unused:
        catalogue.remove(entry)
    catalogue.save(str(CATALOGUE))
    print(f"{len(unused)} texts deleted, {len(catalogue)} are left")


def iter_library_keys() -> Iterator[tuple[str | None, str]]:
    import polib

    for library in ("django", "allauth"):
        for place in find_spec(library).submodule_search_locations:  # type: ignore[union-attr]
            for path in Path(place).rglob("locale/tr/LC_MESSAGES/django.mo"):
                yield from ((entry.msgctxt, entry.msgid) for entry in polib.mofile(str(path)))


def list_missing(prefixes: list[str]) -> Any:
    """A catalogue to fill in: the texts below the given paths (all, if none is given) that have no Turkish yet."""
    import polib

    known = {(entry.msgctxt, entry.msgid) for entry in read_catalogue() if is_translated(entry)}
    wanted = polib.POFile(wrapwidth=110)
    wanted.metadata = HEADER
    for message in iter_messages():
        if message.key in known or (prefixes and not message.place.startswith(tuple(prefixes))):
            continue
        known.add(message.key)
        plural = {"msgid_plural": message.plural, "msgstr_plural": {0: "", 1: ""}} if message.plural else {}
        place = [(message.place.rsplit(":", 1)[0], "")]
        wanted.append(polib.POEntry(msgid=message.text, msgctxt=message.context, occurrences=place, **plural))
    return wanted


def main(arguments: list[str]) -> int:
    if arguments == ["merge"]:
        merge()
        return 0
    if arguments == ["prune"]:
        prune()
        return 0
    if arguments == ["compile"]:
        compile_catalogues()
        return 0
    if arguments[:1] == ["missing"]:
        print(list_missing(arguments[1:]))
        return 0
    problems = check()
    print("\n".join([*problems, f"{len(problems)} problems"] if problems else ["every text has its Turkish"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
