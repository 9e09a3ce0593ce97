"""What was decided, by whom and when, in a chain that shows whether anything was changed since.  Knows no repo."""
