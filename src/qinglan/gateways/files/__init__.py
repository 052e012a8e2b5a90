"""Measurements handed in as files: CSV, Parquet, Excel; tidy, one column a factor, or the national feed's layout.

reading    bytes → rows of text, structural faults refused
mapping    what the user says about the columns
layouts    rows of text → which column is what
times      text → start of the interval
values     text → number, qualifier, limit
cleaning   a chunk of rows → observations, rejects, counts
rejects    the reject file
importing  the job that does it all
"""
