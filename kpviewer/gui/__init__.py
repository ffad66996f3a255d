"""The window: views, the session, and controllers that join them. Only this part has widgets."""
