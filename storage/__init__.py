"""Bytes by digest.  This room knows no model, no user, no license and no HTTP."""
