import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.narrative import render
from fhir_mapping.validation import xhtml


def is_permitted(div):
    narrative = {"status": "generated", "div": div}
    return not xhtml.forbidden(narrative) and not xhtml.blank(narrative)


@given(st.text(min_size=1), st.lists(st.text(), max_size=3))
def test_what_is_rendered_here_is_permitted(title, lines):
    assert not xhtml.forbidden(render(title, lines))


@pytest.mark.parametrize(
    "div",
    [
        "<div>a</div>",
        "  <div>a</div>\n",
        "<div>a<br/>b<br />c<hr></hr></div>",
        """<div xmlns="http://www.w3.org/1999/xhtml" xml:lang='de'><p style="color: red">a</p></div>""",
        '<div><a href="#b" name="c">d</a><img src="#e"/></div>',
        "<div>1 > 0 &amp; &#x3c; 2</div>",
        "<div><!-- a --><b>c</b><!-- </div> --></div>",
    ],
)
def test_basic_formatting_is_permitted(div):
    assert is_permitted(div)


@pytest.mark.parametrize(
    "div",
    [
        "",
        "a",
        "<p>a</p>",
        "<div/>",
        "<div>",
        "</div>",
        "<div>a",
        "<div>a</p>",
        "<div><b>a</div></b>",
        "<div>a</div>b",
        "a<div>b</div>",
        "<div>a</div><div>b</div>",
        "<DIV>a</DIV>",
        "<div>a<script>b</script></div>",
        "<div>a<form/></div>",
        "<div>a<iframe src='b'/></div>",
        "<div onload='a'>b</div>",
        "<div>a<p href='b'>c</p></div>",
        "<div>a<b title=c>d</b></div>",
        "<div>1 < 2</div>",
        "<div>a<!DOCTYPE b></div>",
        "<div>a<?b?></div>",
        "<div>a<![CDATA[b]]></div>",
        "<div>a<!-- b</div>",
        "<div>a<b:c/></div>",
    ],
)
def test_anything_else_is_not(div):
    assert not is_permitted(div)


@given(st.text(alphabet="<>/div !-\"'=ab"))
def test_any_text_is_judged(div):
    is_permitted(f"<div>{div}</div>")


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "-->", "<div>", "</div>", "<a ", "<div a='b' ", '<a href="', "<b/>"]
)
def test_hostile_text_of_a_megabyte_is_judged_to_its_end(piece):
    """Were the search to begin anew at each piece, this would run for hours."""
    assert not is_permitted(f"<div>a{piece * (1_000_000 // len(piece))}</div><")
