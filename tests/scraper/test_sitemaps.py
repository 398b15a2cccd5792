"""Sitemaps of every kind that the protocol has (https://www.sitemaps.org/protocol.html) lead to what they list."""

import gzip

import pytest

from scraper import sitemaps
from scraper.page import Page
from scraper.parsers.reading import Reader
from scraper.warc import StoredPage
from tests.scraper.pages import job_of

URL = "http://site.test/sitemap.xml"
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
URLSET = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset {NAMESPACE} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <url><loc>http://site.test/a?x=1&amp;y=2</loc><lastmod>2026-01-01</lastmod>
    <image:image><image:loc>http://site.test/picture.png</image:loc></image:image></url>
  <url><loc>
    /relative
  </loc></url>
</urlset>"""
INDEX = f"<sitemapindex {NAMESPACE}><sitemap><loc>http://site.test/s1.xml.gz</loc></sitemap></sitemapindex>"
LISTED = ["http://site.test/a?x=1&y=2", "http://site.test/relative"]


def page(body: str | bytes, *, url: str = URL, content_type: str = "application/xml") -> Page:
    data = body.encode() if isinstance(body, str) else body
    return Page(StoredPage(url=url, status=200, headers=[("Content-Type", content_type)], body=data))


@pytest.mark.parametrize(
    ("made", "links"),
    [
        (page(URLSET), LISTED),
        (page(URLSET.replace(NAMESPACE, "")), LISTED),
        (page(URLSET, content_type="text/xml"), LISTED),
        (page(INDEX), ["http://site.test/s1.xml.gz"]),
        (page(gzip.compress(URLSET.encode()), url=URL + ".gz", content_type="application/gzip"), LISTED),
        (page(gzip.compress(URLSET.encode()), url=URL + ".gz", content_type="application/octet-stream"), LISTED),
        (page("http://site.test/1\nhttp://site.test/2\r\n", url="http://site.test/urls.txt", content_type="text/plain"),
         ["http://site.test/1", "http://site.test/2"]),
        (page(gzip.compress(b"http://site.test/1"), url="http://site.test/u.txt.gz", content_type="application/gzip"),
         ["http://site.test/1"]),
        (page("User-agent: *\nDisallow: /x\nSitemap: http://site.test/s.xml\n sitemap : /t.xml # ours\nSitemap:\n",
              url="http://site.test/robots.txt", content_type="text/plain; charset=utf-8"),
         ["http://site.test/s.xml", "http://site.test/t.xml"]),
    ],
)  # fmt: skip
def test_what_a_sitemap_lists_are_its_links(made, links):
    assert made.is_sitemap
    assert list(made.all_links.urls) == links


@pytest.mark.parametrize(
    "made",
    [
        page("See http://site.test/1 for more.", url="http://site.test/readme.txt", content_type="text/plain"),
        page("", url="http://site.test/empty.txt", content_type="text/plain"),
        page("<a href=/1>1</a>", content_type="text/html"),
        page(gzip.compress(b"<a>"), url="http://site.test/data.tar.gz", content_type="application/gzip"),
        page("<rss><channel><link>http://site.test/</link></channel></rss>"),
    ],
)
def test_what_is_none_is_no_sitemap(made):
    assert not made.is_sitemap


def test_a_gzip_file_that_is_cut_is_read_as_far_as_it_goes():
    whole = gzip.compress("".join(f"http://site.test/{n}\n" for n in range(20_000)).encode())
    found = sitemaps.unpacked("http://site.test/urls.txt.gz", whole[: len(whole) // 2])

    assert found is not None
    assert found[0].startswith(b"http://site.test/0\nhttp://site.test/1\n")


def test_a_gzip_file_unpacks_to_no_more_than_a_sitemap_may_have(monkeypatch):
    monkeypatch.setattr(sitemaps, "MOST_BYTES", 1_000)
    found = sitemaps.unpacked("http://site.test/s.xml.gz", gzip.compress(b"<" * 1_000_000))

    assert found == (b"<" * 1_000, "application/xml")


def test_fifty_thousand_urls_are_taken_of_a_sitemap_whatever_is_taken_of_a_page():
    urls = "".join(f"<url><loc>http://site.test/page/of/some/length/{n:06}</loc></url>" for n in range(50_001))
    job = job_of(f"<urlset {NAMESPACE}>{urls}</urlset>", url=URL, content_type="application/xml")
    read = Reader().read(type(job)(job.url, job.raw, max_links=100))

    assert len(read.links) == sitemaps.MOST_URLS
    assert (read.links_found, read.links_left_out) == (50_001, 1)


def test_a_spider_that_follows_nothing_follows_sitemaps(tmp_path):
    file = tmp_path / "quiet.py"
    file.write_text("from scraper import Spider\nspider = Spider('quiet', follow=False)\n")
    job = job_of(URLSET, url=URL, content_type="application/xml", spider=str(file))

    assert list(Reader().read(job).links) == LISTED
