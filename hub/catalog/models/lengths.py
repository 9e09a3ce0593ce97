"""How long identifiers are, in hex digits."""

OID_LENGTH = 40
SHA256_LENGTH = 64
