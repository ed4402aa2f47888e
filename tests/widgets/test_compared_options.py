"""Break-even volumes in words."""

from ragvsft.widgets.compared_options import at_volume, on, volumes


def test_volumes_in_words():
    s = on("claude-sonnet-5-5")
    assert volumes("rag", "prompting", s) == "at any volume"
    assert volumes("prompting", "rag", at_volume(s, 1)) == "never"
