"""From curves and trials to a range: pure functions on NumPy arrays and pandas tables. Knows nothing of Chainer."""
