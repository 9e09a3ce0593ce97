"""Who is who: users, organizations, namespaces, memberships and tokens.  Knows no repo."""
