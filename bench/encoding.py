"""Segments per second beside `smsutil`, and rendered, normalised and counted messages per second.

Both libraries cut the same texts into parts with their texts, in turns within one run, so that a busy
machine slows both. The texts are what Turkish campaigns look like, nearly all of them different: names,
amounts and codes vary.
"""

import argparse
import random
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import smsutil

from smscore import compile_template, count_parts, normalise_msisdn, segment

FOOTER: Final = " Mersis 0123456789012345 Ret: RET MARKA yaz 3338"
# Weight, text. Weights follow what campaigns send: mostly one or two Turkish parts, some plain, few with
# emoji.
TEXTS: Final = [
    (
        30,
        "Merhaba [İsim|değerli müşterimiz], hafta sonuna özel %[Oran] indirim başladı! Mağazamıza bekleriz.",
    ),
    (
        15,
        "Sayın [İsim] [Soyisim], 29 Ekim Cumhuriyet Bayramı'na özel seçili ürünlerde geçerli %[Oran] indirim"
        " fırsatını kaçırmayın! Kodunuz: [Kod]. Detaylı bilgi: https://ornek.example/[Kod]",
    ),
    (15, "Sayin [Soyisim], siparisiniz kargoya verildi. Takip no: [Kod]. Iyi gunlerde kullanin."),
    (10, "Sn. [İsim] [Soyisim], [Tutar] TL tutarındaki ödemeniz alınmıştır. Teşekkür ederiz."),
    (15, "Dogrulama kodunuz: [Kod]. Kimseyle paylasmayin. B001"),
    (5, "🎉 Doğum gününüz kutlu olsun [İsim]! Size özel [Tutar] ₺ hediye çekiniz hesabınızda."),
    (5, "Değerli üyemiz [İsim], “[Kod]” koduyla yapacağınız alışverişlerde kargo bizden – iyi alışverişler…"),
    (
        5,
        "[İsim] Hanım, randevunuz yarın saat [Oran]:00'da. Gelemeyecekseniz lütfen arayınız: 0212 000 00 00",
    ),
]
FIRST_NAMES: Final = [
    "Ayşe",
    "Mehmet",
    "Çiğdem",
    "Ömer",
    "Işıl",
    "İbrahim",
    "Gülşah",
    "Ahmet",
    "Şule",
    "Emre",
    "Can",
]
LAST_NAMES: Final = [
    "Yılmaz",
    "Kaya",
    "Demir",
    "Şahin",
    "Çelik",
    "Öztürk",
    "Aydın",
    "Arslan",
    "Doğan",
    "Kılıç",
    "Ak",
]


def run(args: Sequence[str]) -> dict[str, float | int | str]:
    """Measure and return the figures.

    `args`: --texts N (default 20,000), --rounds N (default 5), --seed N.
    """
    parser = argparse.ArgumentParser(prog="bench encoding")
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args(args)

    rows = make_rows(options.texts, options.seed)
    templates = {text: compile_template(text) for _, text, _, _ in rows}
    texts = [templates[text].fill(values) + tail for _, text, values, tail in rows]
    parts = sum(segment(text).parts for text in texts)

    peer_texts = texts[: max(len(texts) // 8, 1)]
    ours, peer = _time_in_turns(
        lambda: _consume(segment, texts),
        lambda: _consume(smsutil.split, peer_texts),
        options.rounds,
    )
    per_text, peer_per_text = ours / len(texts), peer / len(peer_texts)

    def prepare() -> None:
        for phone, text, values, tail in rows:
            normalise_msisdn(phone)
            count_parts(templates[text].fill(values) + tail)

    phones = [row[0] for row in rows]
    prepared, counted, parsed = (
        _best(prepare, options.rounds),
        _best(lambda: _consume(count_parts, texts), options.rounds),
        _best(lambda: _consume(normalise_msisdn, phones), options.rounds),
    )
    return {
        "texts": len(texts),
        "distinct_texts": len(set(texts)),
        "parts": parts,
        "segments_per_second": round(parts / ours),
        "texts_per_second": round(1 / per_text),
        "counted_texts_per_second": round(len(texts) / counted),
        "messages_per_second": round(len(texts) / prepared),
        "numbers_per_second": round(len(rows) / parsed),
        "smsutil_texts_per_second": round(1 / peer_per_text),
        "ratio_to_smsutil": round(peer_per_text / per_text, 1),
        "peak_mb": round(_peak_mb(texts), 2),
        "violations": _count_violations(texts),
    }


def make_rows(count: int, seed: int) -> list[tuple[str, str, dict[str, object], str]]:
    """Return (phone as typed, template, values by folded name, tail) for that many recipients."""
    source = random.Random(seed)
    weights = [weight for weight, _ in TEXTS]
    rows = []
    for _ in range(count):
        text = source.choices(TEXTS, weights)[0][1]
        values: dict[str, object] = {
            "isim": source.choice(FIRST_NAMES) + source.choice(["", " " + source.choice(FIRST_NAMES)]),
            "soyisim": source.choice(LAST_NAMES),
            "oran": str(source.randrange(10, 71, 5)),
            "tutar": f"{source.randrange(50, 5000)},{source.randrange(100):02}",
            "kod": f"{source.randrange(16**6):06X}",
        }
        digits = f"5{source.choice('0345')}{source.randrange(10**8):08}"
        phone = source.choice(["0{}", "{}", "90{}", "+90{}", "0{0[0]}{0[1]}{0[2]} {1} {2} {3}"]).format(
            digits, digits[3:6], digits[6:8], digits[8:]
        )
        is_marketing = "kodunuz" not in text and "kargoya" not in text
        rows.append((phone, text, values, FOOTER if is_marketing and source.random() < 0.7 else ""))
    return rows


def _consume(function: Callable[[str], object], arguments: list[str]) -> None:
    """Call the function on each argument and drop the results, with as little around it as possible."""
    deque(map(function, arguments), maxlen=0)


def _time_in_turns(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Best seconds of each, measured alternately."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        times[0].append(_best(first, 1))
        times[1].append(_best(second, 1))
    return min(times[0]), min(times[1])


def _best(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def _peak_mb(texts: list[str]) -> float:
    """Peak of Python memory while texts are segmented one after another and thrown away."""
    tracemalloc.start()
    for text in texts[:5000]:
        segment(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def _count_violations(texts: list[str]) -> int:
    """Texts whose parts do not join to the text, or whose cheap count differs from the parts."""
    bad = 0
    for text in texts:
        result = segment(text)
        joined = "".join(result.texts) == result.text
        bad += not joined or count_parts(text) != (result.encoding, result.parts, result.units)
    return bad
