"""The command: ``python -m lrfinder``. Everything that it needs, from the flags to what it prints; nobody else imports it."""
