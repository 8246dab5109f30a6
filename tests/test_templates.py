"""Templates, expressions and field mappings."""

import pytest

from regrade.errors import Location, TemplateError
from regrade.templates import Expression, FieldMapping, Template

ROW = {"text": "hi", "n": 3, "answers": [{"text": "a"}, {"text": "b"}], "a.b": "dotted", "html": "<b>&"}


def test_a_missing_variable_is_an_error_that_names_it_and_the_nearest() -> None:
    """Rendering never fills a gap with nothing: the variable, its place and the likely name are told."""
    template = Template("Say {{ txet }}", Location("x.yaml", 3, 9))
    with pytest.raises(TemplateError) as caught:
        template.render(ROW)
    assert str(caught.value) == 'x.yaml:3:9: no variable "txet"\n  did you mean "text"?'


def test_a_missing_field_is_named() -> None:
    """An attribute that an object lacks is an error as well."""
    with pytest.raises(TemplateError, match='no field "foo"'):
        Template("{{ answers[0].foo }}").render(ROW)


def test_text_is_not_escaped_for_html() -> None:
    """Prompts are plain text: what the row holds arrives as it is, in `tojson` too."""
    assert Template("{{ html }} {{ html | tojson }}").render(ROW) == '<b>& "<b>&"'


def test_a_syntax_error_says_in_which_line_of_the_template() -> None:
    """A broken template is known when it is compiled."""
    with pytest.raises(TemplateError, match="line 2"):
        Template("fine\n{{ broken")


def test_templates_are_sandboxed() -> None:
    """A template cannot reach into Python."""
    with pytest.raises(TemplateError):
        Template("{{ text.__class__.__mro__ }}").render(ROW)


def test_names_tell_what_a_template_needs() -> None:
    """The variables that must come from outside are known without rendering."""
    assert Template("{% for a in answers %}{{ a.text }}{{ n }}{% endfor %}").names == {"answers", "n"}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("text", "hi"),
        ("a.b", "dotted"),
        ("answers.1.text", "b"),
        ("{{ n }}", 3),
        ("{{ answers | map(attribute='text') | list }}", ["a", "b"]),
        ("{{ n }}!", "3!"),
        (["text", {"x": "n"}], ["hi", {"x": 3}]),
        (7, 7),
    ],
)
def test_a_mapping_takes_columns_paths_templates_and_native_values(source: object, value: object) -> None:
    """A word is a column, a single expression keeps its type, lists and mappings are taken apart."""
    assert FieldMapping(source).value(ROW) == value


def test_a_missing_column_names_the_nearest() -> None:
    """A column that a row lacks is an error with a suggestion."""
    with pytest.raises(TemplateError, match='no column "texts"') as caught:
        FieldMapping("texts").value(ROW)
    assert caught.value.hint == 'did you mean "text"?'


def test_an_expression_that_is_undefined_is_an_error() -> None:
    """A filter over a column that is not there does not silently drop every row."""
    with pytest.raises(TemplateError, match='no variable "difficulty"'):
        Expression("difficulty").value(ROW)
    assert Expression("n > 2 and text == 'hi'").value(ROW) is True
