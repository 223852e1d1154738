"""Networks in inference mode: measured, asked for predictions, prepared for deployment."""
