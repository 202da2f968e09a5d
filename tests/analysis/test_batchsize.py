"""Which batch a range holds for."""

from lrfinder.analysis.batchsize import holds_for


def test_a_range_says_for_which_updates_it_holds():
    assert holds_for(32).startswith('the range holds for updates with 32 examples; with k times as many')
