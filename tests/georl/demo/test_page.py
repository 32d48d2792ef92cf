"""A report of each kind of part, as Markdown and as a page (georl.demo.telling.page)."""

import base64

from georl.demo.telling.page import Heading, Picture, Points, Table, html_page, markdown


def parts(folder):
    light, dark = folder / "a.png", folder / "a-dark.png"
    light.write_bytes(b"light")
    dark.write_bytes(b"dark")
    return [
        "1 < 2 & 3.",
        Heading("a < b"),
        Table(("x < y", "z"), [("1 & 2", "<3>"), ("4", "5")]),
        Picture(light, dark, 'a "map" <of>'),
        Points("c & d:", ["<e>", "f"]),
    ]


def test_markdown_is_read_as_it_stands(tmp_path):
    assert markdown("T < U", parts(tmp_path)) == (
        "# T < U\n\n1 < 2 & 3.\n\n## a < b\n\n"
        "| x < y | z |\n|---|---|\n| 1 & 2 | <3> |\n| 4 | 5 |\n\n"
        '![a "map" <of>](a.png)\n\nc & d:\n- <e>\n- f\n'
    )


def test_on_a_page_every_word_is_shown_and_none_is_obeyed(tmp_path):
    page = html_page("T < U", parts(tmp_path))
    body = page.partition("<main>")[2]
    dark, light = (base64.b64encode(one).decode() for one in (b"dark", b"light"))
    for said in (
        "<h1>T &lt; U</h1>",
        "<p>1 &lt; 2 &amp; 3.</p>",
        "<h2>a &lt; b</h2>",
        ">x &lt; y</th>",
        ">1 &amp; 2</th><td>&lt;3&gt;</td>",
        f'<source srcset="data:image/png;base64,{dark}" media="(prefers-color-scheme: dark)">',
        f'<img src="data:image/png;base64,{light}" alt="a &quot;map&quot; &lt;of&gt;">',
        "<p>c &amp; d:</p>\n<ul><li>&lt;e&gt;</li><li>f</li></ul>",
    ):
        assert body.count(said) == 1, said
