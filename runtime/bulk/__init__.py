"""Predicting more than fits into memory: shards of files in, Parquet out, here or on Ray."""
