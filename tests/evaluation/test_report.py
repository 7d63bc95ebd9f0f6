"""What is counted from probabilities, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genre_lib.evaluation.report import Report, mean_probabilities


def test_a_report_counts_as_one_would_by_hand():
    probabilities = np.full((4, 7), 0.05)
    for row, guess in enumerate([0, 0, 1, 2]):
        probabilities[row, guess] = 0.7
    report = Report(probabilities, np.array([0, 0, 1, 3]))
    assert (report.songs, report.accuracy, report.base_rate) == (4, 0.75, 0.5)
    assert report.macro_f1 == pytest.approx((1 + 1 + 0) / 3)
    assert report.loss == pytest.approx(-(3 * np.log(0.7) + np.log(0.05)) / 4)
    assert report.confusion.loc["blues", "blues"] == 2
    assert report.confusion.loc["jazz", "hip hop"] == 1


def test_a_summary_has_every_measure_by_name():
    report = Report(np.eye(7)[[0, 0, 1]], np.array([0, 1, 1]))
    names = ["accuracy", "macro_f1", "base_rate", "top2_accuracy", "calibration_error", "loss"]
    assert report.summary() == {"songs": 3} | {name: getattr(report, name) for name in names}


def test_members_answer_with_the_mean_of_their_probabilities():
    one, two = [4.0, 0.0, 0, 0, 0, 0, 0], [0.0, 1.0, 0, 0, 0, 0, 0]
    logits = torch.tensor([[one, two]])
    softmax = [np.exp(member) / np.exp(member).sum() for member in (one, two)]
    assert np.allclose(mean_probabilities(logits)[0], np.mean(softmax, axis=0))


def test_top_two_and_calibration_are_counted_as_one_would_by_hand():
    probabilities = np.zeros((4, 7))
    probabilities[:, 0], probabilities[:, 1] = 0.75, 0.25
    report = Report(probabilities, np.array([0, 0, 1, 2]))
    assert report.top2_accuracy == 0.75
    assert report.calibration_error == pytest.approx(0.75 - 0.5)


def test_confidence_falls_into_ten_bins_of_which_the_last_holds_certainty():
    probabilities = np.zeros((2, 7))
    probabilities[:, 0] = [1.0, 0.92]
    probabilities[1, 1] = 0.08
    sure = Report(np.array([[0.9, 0.1]] * 10), np.array([0] * 7 + [1] * 3)).reliability()
    assert sure.to_numpy() == pytest.approx(np.array([[10, 0.9, 0.7]]))
    bins = Report(probabilities, np.array([0, 1])).reliability()
    assert bins["songs"].tolist() == [2] and bins["confidence"].tolist() == [0.96]
    spread = np.zeros((20, 7))
    spread[:, 0] = np.arange(20) / 20 + 0.025
    assert Report(spread, np.zeros(20, int)).reliability()["songs"].tolist() == [2] * 10
