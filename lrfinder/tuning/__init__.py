"""The schedule by trial: policy, cycles and maximum, chosen by whole trainings. Optuna searches, prunes and stores."""
