"""Messages and answers as people read them, whatever they hold."""

from typing import Any

from regrade.report.flips import _conversation
from regrade.report.messages import answer_text, shown_messages


def test_every_part_and_call_is_shown() -> None:
    """Texts, images, sounds, calls and results, each with who it is from."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What?"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "[audio/wav]", "format": "wav"}},
                {"type": "file", "file": {"file_id": "f"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "17"},
        {"role": "assistant", "content": None, "refusal": "no"},
    ]
    assert list(shown_messages(messages)) == [
        ("system", "Be brief."),
        ("user", "What?"),
        ("user", "image https://x/y.png, detail low"),
        ("user", "audio [audio/wav] as wav"),
        ("user", '{"type": "file", "file": {"file_id": "f"}}'),
        ("assistant calls", "f({})"),
        ("tool c", "17"),
        ("assistant", '{"content": null, "refusal": "no"}'),
    ]


def test_a_conversation_reads_as_lines_and_a_single_message_as_itself() -> None:
    """What a comparison shows above two answers."""
    assert _conversation('[{"role":"user","content":"hi"}]') == "hi"
    assert _conversation('[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]') == (
        "user: hi\nassistant: ho"
    )
    assert _conversation('"text"') == "text"


def test_an_answer_is_its_text_and_its_calls() -> None:
    """Two answers that differ in their calls alone are told apart."""
    calls = '[{"name":"f","arguments":"{\\"a\\":1}","id":null}]'
    assert answer_text("", calls) == 'f({"a":1})'
    assert answer_text("now", calls) == 'now\nf({"a":1})'
    assert answer_text("now", None) == "now"
    assert answer_text(None, None) is None
