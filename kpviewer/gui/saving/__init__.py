"""Contents of recordings and exports, their folder and their messages. No widgets."""
