"""Two other crawlers, as programs that are handed to their own interpreters: URL, delay, requests at once."""

SCRAPY = """
import sys, scrapy
from scrapy.crawler import CrawlerProcess
url, delay, at_once = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])

class Walk(scrapy.Spider):
    name = "walk"
    start_urls = [url]
    def parse(self, response):
        for href in response.css("a::attr(href)"):
            yield response.follow(href, self.parse)

process = CrawlerProcess({
    "AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_START_DELAY": delay, "DOWNLOAD_DELAY": delay,
    "CONCURRENT_REQUESTS_PER_DOMAIN": at_once, "AUTOTHROTTLE_TARGET_CONCURRENCY": float(at_once),
    "ROBOTSTXT_OBEY": True, "LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False,
})
process.crawl(Walk)
process.start()
"""

CRAWLEE = """
import asyncio, sys
from crawlee import ConcurrencySettings
from crawlee.crawlers import BeautifulSoupCrawler
url, delay, at_once = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
pace = {"max_tasks_per_minute": 60 / delay} if delay else {}

async def main():
    most = ConcurrencySettings(min_concurrency=1, desired_concurrency=1, max_concurrency=at_once, **pace)
    crawler = BeautifulSoupCrawler(concurrency_settings=most)

    @crawler.router.default_handler
    async def handle(context):
        await context.enqueue_links()

    await crawler.run([url])

asyncio.run(main())
"""
