"""What the cost comparison says of prices that are announced to change."""

from ragvsft.chapters.cost import cost_comparison as chapter


def test_a_price_that_is_known_to_change_is_named_with_both_values() -> None:
    assert chapter.coming_prices() == [
        r"Google: Gemini 3.8 Flash, input from \$0.75 to \$1.50 per million tokens"
    ]
