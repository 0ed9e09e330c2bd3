"""What the composer shows about a text."""

from smscore.counter import count_range, count_text
from smscore.encoding import Encoding
from smscore.transliteration import Level


def test_a_dear_text_is_explained_and_made_cheaper():
    count = count_text("“Şok” indirim " + "ş" * 70)
    assert (count.encoding, count.parts, count.units, count.limit, count.units_left) == (
        Encoding.UCS2,
        2,
        84,
        67,
        50,
    )
    assert [item.char for item in count.forcing] == ["“", "Ş", "”", "ş"]
    # Without the quotes it is exactly 155 septets of Turkish; plain letters would save nothing more.
    assert [(saving.level, saving.encoding, saving.parts) for saving in count.savings] == [
        (Level.TYPOGRAPHY, Encoding.GSM7_TR_SINGLE, 1)
    ]


def test_levels_are_offered_only_where_they_save_more():
    count = count_text("’" + "ş" * 140)
    assert [(saving.level, saving.parts) for saving in count.savings] == [
        (Level.TYPOGRAPHY, 2),
        (Level.NO_TURKISH, 1),
    ]
    assert count.savings[1].result.text == "'" + "s" * 140
    assert count_text("’").savings == ()
    assert count_text("a" * 400).savings == ()


def test_range_over_recipients():
    texts = ["a" * 150 + name for name in ("Ali", "Çiğdem", "Ömer", "😀")]
    found = count_range(texts)
    assert (found.messages, found.parts, found.fewest, found.most) == (4, 7, 1, 3)
    assert found.by_encoding == {Encoding.GSM7: 2, Encoding.GSM7_TR_SINGLE: 1, Encoding.UCS2: 1}
    assert count_range([]) == (0, 0, 0, 0, {})
