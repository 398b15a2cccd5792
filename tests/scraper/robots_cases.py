"""What robots.txt files say to `Penstock/0.1`, as data: the source of a rule, a file, and what is allowed by it.

RFC 9309 is the rule. Where it is silent, Google's published parser (github.com/google/robotstxt) is; each of the tests
in its robots_test.cc that is about permission has a case here, under its name. Read otherwise on purpose are:

- GoogleOnly_AcceptUserAgentUpToFirstSpace, in one assertion: our own name may not have a space there; ours is cut.
- ID_Encoding, in three: what a URL has raw is compared as it would be sent, and `%62` is `b` (RFC 9309 §2.2.2).
- A crawl-delay between two user-agent lines parts them (Google documents that it does not): we obey it, as a rule of
  its group, and so do those who write `User-agent: *`, `Crawl-delay: 9`, `User-agent: BadBot`, `Disallow: /`.
"""

LONG = "/x/" + "a" * (8 * 2083 - 15)

#: (source, file, paths that are allowed, paths that are not)
CASES = [
    ("RFC 9309 §2.2.1", "User-agent: penstock\nDisallow: /a", ["/b"], ["/a", "/a/b"]),
    ("RFC 9309 §2.2.1", "User-agent: Penstock, Other\nDisallow: /", [], ["/a"]),
    ("RFC 9309 §2.2.1", "User-agent: Penstock;\nDisallow: /", [], ["/a"]),
    ("RFC 9309 §2.2.1", "User-agent: PENSTOCK/9 (x)\nDisallow: /", [], ["/a"]),
    ("RFC 9309 §2.2.1", "User-agent: penstock2\nDisallow: /", [], ["/a"]),
    ("RFC 9309 §2.2.1", "User-agent: penstock-2\nDisallow: /", ["/a"], []),
    ("RFC 9309 §2.2.1", "User-agent: penstock_x\nDisallow: /", ["/a"], []),
    ("RFC 9309 §2.2.1", "User-agent: my penstock\nDisallow: /", ["/a"], []),
    ("RFC 9309 §2.2.1", "User-agent: *Bad*\nDisallow: /", ["/a"], []),
    ("RFC 9309 §2.2.1", "User-agent: *penstock\nDisallow: /", ["/a"], []),
    ("RFC 9309 §2.2.1", "User-agent: **\nDisallow: /", ["/a"], []),
    ("RFC 9309 §2.2.1", "User-agent:\nDisallow: /", ["/a"], []),
    ("RFC 9309 §2.2.1", "User-agent: /\nDisallow: /", ["/a"], []),
    ("Google: a star before a space is everybody", "User-agent: * and others\nDisallow: /", [], ["/a"]),
    ("RFC 9309 §2.2.1", "User-agent: *\nDisallow: /a\nUser-agent: penstock\nDisallow: /b", ["/a"], ["/b"]),
    ("RFC 9309 §2.2.1", "User-agent: *\nDisallow: /\nUser-agent: penstock", ["/a"], []),
    ("ID_LineSyntax_Line", "user-agent Penstock\ndisallow /", [], ["/a"]),
    ("ID_LineSyntax_Line", "who: Penstock\nnot: /", ["/a"], []),
    ("a colon is missed before a URL too", "user-agent *\ndisallow /a:b", ["/a"], ["/a:b"]),
    (
        "ID_LineSyntax_Groups",
        "allow: /o/\n\nuser-agent: Penstock\ndisallow: /\nallow: /x/\nuser-agent: Other\nallow: /y/\n\nallow: /w/\n"
        "user-agent: Third\n\nuser-agent: Penstock\nallow: /z/",
        ["/x/", "/z/"],
        ["/y/", "/w/", "/o/"],
    ),
    (
        "ID_LineSyntax_Groups_OtherRules",
        "User-agent: penstock\nSitemap: http://a.test/s\nUser-agent: x\nDisallow: /",
        [],
        ["/"],
    ),
    ("ID_LineSyntax_Groups_OtherRules", "User-agent: penstock\nHost: a\nUser-agent: x\nDisallow: /", [], ["/"]),
    ("named above", "User-agent: *\nCrawl-delay: 9\n\nUser-agent: BadBot\nDisallow: /", ["/a"], []),
    ("ID_REPLineNamesCaseInsensitive", "uSeR-aGeNt: penstock\naLLoW: /x/\nDISALLOW: /", ["/x/y"], ["/a"]),
    ("ID_UserAgentValueCaseInsensitive", "User-Agent: PENSTOCK BAR\nAllow: /x/\nDisallow: /", ["/x/y"], ["/a"]),
    (
        "GoogleOnly_AcceptUserAgentUpToFirstSpace",
        "User-Agent: *\nDisallow: /\nUser-Agent: Penstock b\nAllow: /",
        ["/"],
        [],
    ),
    ("ID_GlobalGroups_Secondary", "", ["/a"], []),
    ("ID_GlobalGroups_Secondary", "user-agent: *\nallow: /\nuser-agent: Penstock\ndisallow: /", [], ["/a"]),
    ("ID_GlobalGroups_Secondary", "user-agent: *\ndisallow: /\nuser-agent: x\nallow: /", [], ["/a"]),
    ("ID_AllowDisallow_Value_CaseSensitive", "user-agent: *\ndisallow: /X/", ["/x/y"], ["/X/y"]),
    ("ID_LongestMatch", "user-agent: *\ndisallow: /x/p.html\nallow: /x/", ["/x/q"], ["/x/p.html"]),
    ("ID_LongestMatch", "user-agent: *\nallow: /x/p.html\ndisallow: /x/", ["/x/p.html"], ["/x/"]),
    ("ID_LongestMatch", "user-agent: *\ndisallow: \nallow: ", ["/x"], []),
    ("ID_LongestMatch", "user-agent: *\ndisallow: /\nallow: /", ["/x"], []),
    ("ID_LongestMatch", "user-agent: *\nallow: /x\ndisallow: /x", ["/x/y"], []),
    ("ID_LongestMatch", "user-agent: *\ndisallow: /x\nallow: /x/", ["/x/"], ["/x"]),
    ("ID_LongestMatch", "user-agent: *\nallow: /pag\ndisallow: /*.html", ["/page"], ["/page.html"]),
    ("ID_LongestMatch", "user-agent: *\nallow: /x/page.\ndisallow: /*.html", ["/x/page.html"], ["/x/y.html"]),
    ("ID_LongestMatch, by octets", "user-agent: *\nallow: /?a\ndisallow: /*?a", [], ["/?a"]),
    (
        "ID_Encoding",
        "User-agent: *\nDisallow: /\nAllow: /f?q=t&b=http://a.test?r&p",
        ["/f?q=t&b=http://a.test?r&p"],
        ["/f"],
    ),
    ("ID_Encoding", "User-agent: *\nDisallow: /\nAllow: /\u30c4", ["/%E3%83%84", "/%e3%83%84", "/\u30c4"], ["/%E3"]),
    ("ID_Encoding", "User-agent: *\nDisallow: /\nAllow: /%e3%83%84", ["/%E3%83%84", "/\u30c4"], ["/%E3"]),
    ("RFC 9309 §2.2.2", "User-agent: *\nDisallow: /%62%61%7A", ["/ba"], ["/baz", "/%62az"]),
    ("RFC 9309 §2.2.2: a reserved one is another", "User-agent: *\nDisallow: /a%2Fb", ["/a/b"], ["/a%2fb"]),
    ("RFC 9309 §2.2.2: a reserved one is another", "User-agent: *\nDisallow: /a?b", ["/a%3Fb"], ["/a?b"]),
    ("what browsers escape", "User-agent: *\nDisallow: /a b", ["/ab"], ["/a%20b/c"]),
    ("ID_SpecialCharacters", "User-agent: *\nDisallow: /f/b/q\nAllow: /f/*/x", ["/f/q", "/f//q", "/f/c/q"], ["/f/b/q"]),
    ("ID_SpecialCharacters", "User-agent: *\nDisallow: /f/b$\nAllow: /f/b/x", ["/f/b/", "/f/b/x", "/f/b/y"], ["/f/b"]),
    ("ID_SpecialCharacters", "User-agent: *\n# Disallow: /\nDisallow: /q#x\nAllow: /", ["/a"], ["/q"]),
    ("RFC 9309 §2.2.3", "User-agent: *\nDisallow: /a-%2A", ["/a-b"], ["/a-*", "/a-%2a"]),
    ("RFC 9309 §2.2.3", "User-agent: *\nDisallow: /a-%24", ["/a-"], ["/a-$", "/a-$b"]),
    ("RFC 9309 §2.2.3: only at the end", "User-agent: *\nDisallow: /a$b", ["/a"], ["/a$b", "/a%24b"]),
    (
        "GoogleOnly_IndexHTMLisDirectory",
        "User-Agent: *\nAllow: /d/index.html\nDisallow: /",
        ["/d/", "/d/index.html"],
        ["/d/index.htm", "/x"],
    ),
    ("GoogleOnly_LineTooLong", f"user-agent: *\ndisallow: {LONG}/qux", ["/fux", LONG], [f"{LONG}/fux"]),
    (
        "GoogleOnly_LineTooLong",
        f"user-agent: *\ndisallow: /\nallow:    {LONG}/qux",
        [f"{LONG}/qux", f"{LONG}/fux"],
        ["/", LONG],
    ),
    (
        "GoogleOnly_DocumentationChecks",
        "user-agent: *\ndisallow: /\nallow: /fi",
        ["/fi", "/fi.html?id=a", "/fi/s"],
        ["/Fi", "/?id=fi"],
    ),
    (
        "GoogleOnly_DocumentationChecks",
        "user-agent: *\ndisallow: /\nallow: /fi*",
        ["/fi", "/fi.html?id=a", "/fi/s"],
        ["/Fi", "/?id=fi"],
    ),
    (
        "GoogleOnly_DocumentationChecks",
        "user-agent: *\ndisallow: /\nallow: /fi/",
        ["/fi/", "/fi/?s"],
        ["/fi", "/fi.html"],
    ),
    (
        "GoogleOnly_DocumentationChecks",
        "user-agent: *\ndisallow: /\nallow: /*.php",
        ["/a.php", "//b/a.php.html", "/i?f=n.php/"],
        ["/php/", "/i?php", "/a.PHP"],
    ),
    (
        "GoogleOnly_DocumentationChecks",
        "user-agent: *\ndisallow: /\nallow: /*.php$",
        ["/a.php", "/b/a.php"],
        ["/a.php?p", "/a.php/", "/a.php5"],
    ),
    (
        "GoogleOnly_DocumentationChecks",
        "user-agent: *\ndisallow: /\nallow: /fi*.php",
        ["/fi.php", "/fi/cat.php?p"],
        ["/Fi.PHP"],
    ),
    ("GoogleOnly_DocumentationChecks", "user-agent: *\nallow: /p\ndisallow: /", ["/page"], ["/a"]),
    ("GoogleOnly_DocumentationChecks", "user-agent: *\nallow: /$\ndisallow: /", ["/"], ["/page"]),
    ("RFC 9309 §2.2.2: its own", "user-agent: *\ndisallow: /", ["/robots.txt", "/robots.txt?x"], ["/robots.txt2"]),
    (
        "RFC 9309 §2.2: no other ends a line",
        "user-agent: *\n# a\x0bdisallow: /\nallow: /\u2028disallow: /b",
        ["/b"],
        [],
    ),
]
