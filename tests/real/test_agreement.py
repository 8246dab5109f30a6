"""Judges that see two answers in both orders: how often they prefer the same one, over two prompts."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import regrade

# judge: accuracy as the mean of both orders in percent, same verdict in both orders of 100
JUDGES = {"GPT-4": (95.5, 95), "ChatGPT": (81.5, 71), "PaLM2": (83.0, 80), "Falcon": (74.0, 52)}
CODE = """\
import json
import re
from pathlib import Path

from regrade.types import Score

FOLDER = Path({folder!r})
RECORDED = {{}}


async def judge(request):
    name = request.model.name
    if name not in RECORDED:
        path = FOLDER / f"llmbar/Natural.{{name}}.Vanilla.result.json"
        RECORDED[name] = [row["results"][-1] for row in json.loads(path.read_text())]
    row = RECORDED[name][int(request.key.sample_id) - 1]
    return row[f"swap = {{request.key.prompt == 'swapped'}}"]["completion"][0]


def preferred(context):
    found = re.search(r"Output \\(([ab])\\)", context.answer)
    if found is None:
        return Score(0.0, expected=str(context.target), parsed=False)
    first = (found[1] == "a") != (context.prompt == "swapped")
    label = "1" if first else "2"
    return Score(float(label == str(context.target)), label=label, expected=str(context.target))
"""


@pytest.fixture(scope="module")
def run(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ask every judge in both orders, as two prompts of one eval."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("agreement"))
        Path("judges.py").write_text(CODE.format(folder=str(real_data)))
        spec = {
            "name": "llmbar",
            "dataset": {
                "path": str(real_data / "llmbar/Natural.dataset.json"),
                "id": "row",
                "input": "input",
                "target": "label",
            },
            "models": [{"name": name, "python": "judges.py:judge"} for name in JUDGES],
            "prompts": {"straight": "{{ input }}", "swapped": "{{ input }} "},
            "scorers": [{"python": {"function": "judges.py:preferred", "low": 0, "high": 1}}],
        }
        with Path("llmbar.yaml").open("w") as stream:
            YAML().dump(spec, stream)
        yield regrade.run("llmbar.yaml")


@pytest.mark.parametrize("judge", JUDGES)
def test_judges_agree_with_themselves_as_published(run: regrade.Run, judge: str) -> None:
    """The share of the same verdict in both orders, and the accuracy over both, are those published."""
    accuracy, same = JUDGES[judge]
    arms = [f"{run.id},model={judge},prompt={prompt}" for prompt in ("straight", "swapped")]
    found = regrade.compare(*arms)
    (agreement,) = found.comparison.agreements
    assert (agreement.n, round(100 * agreement.same)) == (100, same)
    assert agreement.low is not None
    assert agreement.high is not None
    assert agreement.low < agreement.same < agreement.high
    assert agreement.kappa is not None
    (row,) = [one for one in found.changes if one.metric == "mean" and one.scorer]
    assert ((row.value_a or 0) + (row.value_b or 0)) / 2 * 100 == pytest.approx(accuracy)
    (table,) = [one for one in found.tables if one.title == "Agreement of A and B"]
    assert f"{same}.0 %" in table.rows[0]
