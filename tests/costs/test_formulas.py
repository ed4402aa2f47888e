"""Each formula against a bill worked by hand, and the call price against genai-prices itself."""

import math

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragvsft.costs import formulas as f


def test_the_source_documents_query_without_output_costs_what_it_said():
    embed = f.tokens_usd(150, 0.13)
    rerank = f.rerank_usd_per_query(50, 500, 150, usd_per_search=0.002, usd_per_mtok=0)
    call = f.call_usd(10_000, 0, 0, 3.0, 0.3, 15.0)
    assert embed == pytest.approx(0.0000195)
    assert rerank == 0.002
    assert call == 0.03
    assert embed + rerank + call == pytest.approx(0.0320195, rel=1e-12)


def test_output_tokens_are_not_free():
    assert f.call_usd(10_000, 0, 400, 3.0, 0.3, 15.0) == pytest.approx(0.036)


@pytest.mark.parametrize(
    ("candidates", "tokens_per_chunk", "searches"),
    [(50, 500, 1), (100, 510, 1), (101, 510, 2), (50, 511, 1), (51, 511, 2), (50, 1200, 2)],
)
def test_a_search_covers_100_documents_of_510_tokens(candidates, tokens_per_chunk, searches):
    assert f.rerank_searches_per_query(candidates, tokens_per_chunk) == searches


def test_reranking_by_token_counts_the_query_for_each_candidate():
    usd = f.rerank_usd_per_query(50, 500, 150, usd_per_search=0, usd_per_mtok=0.05)
    assert usd == pytest.approx(50 * 650 * 0.05 / 1e6)


def test_a_cache_that_breaks_even_costs_the_input_price():
    hit = f.cache_hit_rate_to_break_even(3.0, 0.3, 3.75)
    assert hit * 0.3 + (1 - hit) * 3.75 == pytest.approx(3.0)
    volume = f.queries_per_month_at_hit_rate(hit, 300)
    assert volume == pytest.approx(2147, abs=1)
    assert f.cache_hit_rate(volume, 300) == pytest.approx(hit)


def test_an_hour_long_cache_pays_from_a_quarter_of_the_volume():
    hit = f.cache_hit_rate_to_break_even(3.0, 0.3, 6.0)
    assert f.queries_per_month_at_hit_rate(hit, 3600) == pytest.approx(545, abs=5)


def test_caching_is_never_dearer_than_not_caching():
    assert f.cached_input_usd_per_mtok(0.0, 3.0, 0.3, 3.75) == 3.0
    assert f.cached_input_usd_per_mtok(1.0, 3.0, 0.3, 3.75) == pytest.approx(0.3)


def test_a_prefix_below_the_providers_minimum_is_not_cached():
    assert f.cacheable_tokens(1023, 1024) == 0
    assert f.cacheable_tokens(1024, 1024) == 1024


def test_ten_thousand_documents_index_to_half_a_gigabyte():
    tokens = f.indexed_tokens(f.corpus_tokens(10_000, 1500), 0.1)
    chunks = f.index_chunks(tokens, 500)
    gb = f.index_gb(chunks, 3072, 2000)
    assert tokens == pytest.approx(16_500_000)
    assert chunks == pytest.approx(33_000)
    assert gb == pytest.approx(33_000 * 14_288 / 1e9)
    assert f.index_build_usd(tokens, gb, 0.13, 4.0) == pytest.approx(2.145 + 1.886, abs=1e-3)


def test_a_search_reads_at_least_a_quarter_unit():
    assert f.search_usd_per_query(0.01, 16) == pytest.approx(0.25 * 16e-6)
    assert f.search_usd_per_query(470, 16) == pytest.approx(0.00752)


@pytest.mark.parametrize(
    ("horizon", "between", "retirement", "releases"),
    [(12, 6, 21, 1), (12, 12, 21, 0), (13, 6, 99, 2), (12, 24, 6, 1), (12, 24, 12, 0), (1, 6, 21, 0)],
)
def test_later_releases_follow_the_calendar_or_the_base_models_end(horizon, between, retirement, releases):
    assert f.re_releases(horizon, between, retirement) == releases


def test_gpus_are_a_staircase():
    one_gpu_volume = f.SECONDS_PER_MONTH * 5 * 0.6 / 4
    assert f.gpus_needed(one_gpu_volume * 0.999, 4, 1 / 5, 0.6, 1) == 1
    assert f.gpus_needed(one_gpu_volume * 1.001, 4, 1 / 5, 0.6, 1) == 2
    assert f.gpus_needed(10_000_000, 4, 1 / 5, 0.6, 1) == 6
    assert f.gpus_needed(1, 4, 1 / 5, 0.6, 2) == 2


def test_a_gpu_needs_22_percent_use_to_beat_a_tenth_of_a_cent():
    assert f.gpu_utilisation_to_break_even(3.99, 1 / 5, 0.00103) == pytest.approx(0.215, abs=1e-3)


def test_a_five_dollar_failure_eats_a_one_cent_saving_in_a_fifth_of_a_point():
    assert f.accuracy_loss_to_break_even(0.01, 5) == pytest.approx(0.002)
    assert f.usd_per_query_with_failures(0.03, 0.9, 5) == pytest.approx(0.53)


def test_a_stage_waits_for_its_calls_and_its_tokens():
    assert f.stage_milliseconds(3, 20, 5000, 10_000, 400, 100) == pytest.approx(60 + 500 + 4000)


usage = st.integers(0, 90_000)


@given(prompt=usage, cached_share=st.floats(0, 1), output=usage, batch=st.booleans())
def test_a_call_costs_what_genai_prices_says(prompt, cached_share, output, batch):
    """All cached tokens are reads here: genai-prices counts them inside `input_tokens`."""
    cached = 0 if batch else int(prompt * cached_share)
    context = {"price_context": {"processing": "batch"}} if batch else {}
    price = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=prompt, cache_read_tokens=cached, output_tokens=output),
        model_ref="claude-sonnet-4-6",
        provider_id="anthropic",
        **context,
    )
    factor = f.batch_factor(1.0 if batch else 0.0, 0.5)
    ours = factor * f.call_usd(prompt - cached, cached, output, 3.0, 0.3, 15.0)
    assert math.isclose(ours, float(price.total_price), rel_tol=1e-9, abs_tol=1e-12)
