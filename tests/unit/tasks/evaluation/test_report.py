"""Evaluation reports read again."""

from tasks.evaluation.report import EvaluationReport


def test_a_report_of_before_the_criterion_is_ranked_by_the_frechet_distance():
    report = EvaluationReport.model_validate_json(
        '{"key": "k", "catalogue": "c", "family": "dcgan", "conditional": true, "onnx_sha256": "o", '
        '"prepared_key": "p", "data_md5": "d", "protocol": {"samples": 10}, "figures": '
        '[{"name": "frechet_distance", "value": 3.0, "higher_is_better": false}]}'
    )
    assert (report.distance.value, report.samples, report.find("coverage")) == (3.0, 10, None)
