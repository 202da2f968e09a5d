"""What can be trained: built-in models, data sets and optimizers, and the user's own. For the command and the examples."""
