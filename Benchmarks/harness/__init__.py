"""What `bench.py` is made of: input files, the exact results, contenders, measuring, tables."""
