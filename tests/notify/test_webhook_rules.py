"""The pure parts: signatures, targets, what an answer means, when to try again."""

import random

import pytest

from contract.errors import Refused
from contract.settings import Settings
from penstock.plan import make_plan
from penstock.webhooks.answers import Outcome, Schedule, next_in_seconds, outcome_of_answer, outcome_of_failure
from penstock.webhooks.signature import headers_for, signing_key
from penstock.webhooks.targets import check_webhook, receiver_of
from scraper.errors import BlockedAddress, InvalidUrl, Timeout, Tls
from scraper.verdicts import VERDICTS


def test_a_signature_is_that_of_the_standard_s_own_example():
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = headers_for("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', key=key, at=1_614_265_330)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_is_base64_behind_its_mark_and_text_without_it():
    assert signing_key("whsec_aGk=") == signing_key("whsec_aGk") == b"hi"
    assert signing_key("aGk=") == b"aGk="
    assert signing_key("") == b""


@pytest.mark.parametrize("secret", ["whsec_!hunter2", "whsec_hunter2hunter", "whsec_hünter2"])
def test_a_secret_that_only_looks_like_base64_is_refused_and_not_repeated(secret):
    with pytest.raises(Refused) as caught:
        signing_key(secret)

    assert "nter2" not in str(caught.value)
    with pytest.raises(Refused, match="webhook_secret"):
        make_plan(Settings(webhook_secret=secret), ["http://site.test/"])


@pytest.mark.parametrize(
    "url", ["https://example.com/hooks?token=x", "http://127.0.0.1:9000/", "https://Bücher.example"]
)
def test_a_url_of_the_web_may_be_a_webhook(url):
    assert make_plan(Settings(webhook=url), ["http://site.test/"]).spec.webhook == url


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://hunter2.example/", "hunter2", "//hunter2.example/", "https://", "file:///hunter2"),
        *(
            "https://me:hunter2@example.com/",
            "https://hunter2@example.com/",
            f"https://example.com/hunter2{'x' * 2_000}",
        ),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_in_one_line_that_does_not_repeat_it(url):
    with pytest.raises(Refused) as caught:
        check_webhook(url)

    assert "webhook" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(Refused):
        make_plan(Settings(webhook=url), ["http://site.test/"])


def test_a_receiver_is_scheme_and_authority_and_no_more():
    assert receiver_of("https://me:pass@Example.com:8443/hooks/secret?token=x#y") == "https://example.com:8443"
    assert receiver_of("no URL") == ""


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((200, "taken"), (204, "taken"), (299, "taken"), (410, "never"), (302, "again"), (400, "again")),
        *((404, "again"), (429, "again"), (500, "again"), (503, "again")),
    ],
)
def test_only_2xx_is_taken_and_only_410_is_the_end(status, verdict):
    assert outcome_of_answer(status, retry_after_ms=None).verdict == verdict


def test_what_may_not_be_connected_to_is_not_tried_again():
    verdicts = {
        kind.reason: outcome_of_failure(kind.reason, VERDICTS[kind].webhook).verdict
        for kind in (BlockedAddress, InvalidUrl, Timeout, Tls)
    }

    assert verdicts == {"blocked_address": "never", "invalid_url": "never", "timeout": "again", "tls": "again"}


def test_all_attempts_together_take_about_ten_minutes():
    again, schedule = Outcome("again", ""), Schedule()
    for seed in range(50):
        waits = [next_in_seconds(again, n, schedule, random.Random(seed + n)) for n in range(1, schedule.attempts)]
        assert 360 < sum(waits) < 780

    assert next_in_seconds(again, schedule.attempts, schedule, random.Random(0)) is None


def test_a_receiver_s_own_word_is_waited_for_and_bounded():
    chance, schedule = random.Random(0), Schedule()

    assert next_in_seconds(Outcome("again", "", 90.0), 1, schedule, chance) == 90.0
    assert next_in_seconds(Outcome("again", "", 86_400.0), 1, schedule, chance) == schedule.most_asked_seconds
