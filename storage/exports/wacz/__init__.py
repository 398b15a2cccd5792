"""A crawl as one WACZ file, which replay tools open: a zip of WARC, its index, and a list of pages.

package       answers → the zip, its parts in order, with their digests
index         an answer's record → its line of the index (CDXJ)
surt          a URL → the key that it is indexed under
sorted_lines  more lines than memory holds, in order
pages         fetched pages → lines of the list of pages, with title and text
"""
