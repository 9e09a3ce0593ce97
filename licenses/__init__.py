"""Terms and consent.  Knows no repo and no file."""
