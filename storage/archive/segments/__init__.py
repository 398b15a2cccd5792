"""Where the archive's segments lie: files that are appended to, or objects of a bucket, one a batch.

opening       settings → the store to use
files         segments as files of a folder, one after the other for each recorder
repair        … made whole again after a recorder was killed
objects       segments as objects: a batch is one, put before SQL commits it
bucket        the bucket itself: put, read, delete, and what its errors mean
read_ahead    neighbouring pages of an object in one request
sweep         objects that were put and never committed → nothing
moved         old segments in the data folder, later ones in a bucket
"""
