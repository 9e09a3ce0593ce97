"""The version of what makes files here; a test holds it against the project's own."""

VERSION = "0.1.0"
