"""TensorBoard's own HParams backend finds every trial of a search, with what was drawn and the dev metric."""

import pytest
from crew_here import here

from dlspec.recipe.load import load
from dlspec.tuning.search import tune

RECIPE = """
task: classification
data: {name: iris, split: {dev: 0.2, test: 0.2}}
model: linear
train: {seed: 1, epochs: 1, batch_size: 32, health: false}
tune:
  trials: 3
  space:
    train.optimizer.learning_rate: {log_uniform: [1e-3, 1e-1]}
    model: {choice: [{name: mlp, dropout: {uniform: [0, 0.5]}}, {name: linear}]}
"""


def groups(folder):
    """Session groups (a run each) as the HParams tab lists them."""
    from tensorboard import context
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

    events = plugin_event_multiplexer.EventMultiplexer()
    events.AddRunsFromDirectory(str(folder))
    events.Reload()
    provider = data_provider.MultiplexerDataProvider(events, str(folder))
    board = backend_context.Context(TBContext(logdir=str(folder), data_provider=provider, multiplexer=events))
    states = [api_pb2.STATUS_UNKNOWN, api_pb2.STATUS_RUNNING, api_pb2.STATUS_SUCCESS]
    asked = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=states, slice_size=100, col_params=[api_pb2.ColParams(metric=_metric())], include_metrics=True
    )
    return list_session_groups.Handler(context.RequestContext(), board, "e", asked).run().session_groups


def _metric():
    from tensorboard.plugins.hparams import api_pb2

    return api_pb2.MetricName(group="", tag="dev_accuracy")


@here
def test_the_hparams_tab_shows_every_trial(tmp_path):
    (tmp_path / "board.yaml").write_text(RECIPE)
    result = tune(load(tmp_path / "board.yaml"), out=tmp_path / "runs")
    found = {}
    for group in groups(f"{result['study']}/runs"):
        values = [metric.value for metric in group.metric_values if metric.name.tag == "dev_accuracy"]
        found[group.name.split("/")[0]] = (group.hparams, values)
    assert sorted(found) == ["trial-000", "trial-001", "trial-002"]
    for one in result["trials"]:
        parameters, values = found[f"trial-{one['number']:03d}"]
        rate = parameters["train.optimizer.learning_rate"].number_value
        assert rate == pytest.approx(one["params"]["train.optimizer.learning_rate"])
        assert parameters["model.name"].string_value == one["params"]["model"]
        if "model[0].dropout" in one["params"]:
            assert parameters["model.dropout"].number_value == pytest.approx(one["params"]["model[0].dropout"])
        assert values == pytest.approx(one["values"])
