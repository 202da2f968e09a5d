"""All that touches Chainer: runs on the user's updater, what they record, and what puts everything back."""
