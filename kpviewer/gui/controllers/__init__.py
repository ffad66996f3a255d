"""What joins the session with the views: it passes on results, edits and commands."""
