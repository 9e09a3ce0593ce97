"""The domain: repos, refs, git objects, commits, access, jobs.  All rules about models live here."""
