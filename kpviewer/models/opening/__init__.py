"""What ``models.loading`` opens: shipped models, other makers' files, code; and downloads."""
