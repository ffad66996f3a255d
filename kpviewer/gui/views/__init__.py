"""What is seen. Views get data and emit signals; they know no session and no window."""
