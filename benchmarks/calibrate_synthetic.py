"""Where the constants of the synthetic songs come from, and how well the songs imitate real ones.

    python benchmarks/calibrate_synthetic.py      compare baselines on real and synthetic songs
    python benchmarks/calibrate_synthetic.py --derive   make genre_lib/data/synthetic.json first

Real songs: the file that GENRE_SONGS names. The comparison prints a table and writes
`benchmarks/results/synthetic.json`. About three minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import digamma, ndtr, ndtri
from scipy.stats import rankdata
from sklearn.mixture import GaussianMixture

from genre_lib import load_songs, split_songs
from genre_lib.data import bayes, synthetic
from genre_lib.data.schema import AUDIO_FEATURES, GENRES, TOPIC_FEATURES
from genre_lib.data.songs import strip_footer
from genre_lib.study.baselines import BASELINES, boosting, tfidf
from genre_lib.study.results import write_result

SEEDS = 1


# --- the constants -------------------------------------------------------------------------------


def fit_dirichlet(counts: np.ndarray, steps: int = 200) -> np.ndarray:
    """Dirichlet parameters (17,) with the mean topic shares of the counts (n, 17).

    Only their sum is fitted, to the greatest likelihood (Minka's fixed point).
    """
    share, total, size = counts.sum(0) / counts.sum(), counts.sum(1), 2.0
    for _ in range(steps):
        alpha = size * share
        rise = share @ (digamma(counts + alpha) - digamma(alpha)).sum(0)
        size *= rise / (digamma(total + size) - digamma(size)).sum()
    return size * share


def audio_curves(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normal scores (41,) and the audio scores at them (6, 41), rising strictly from 0 to 1."""
    z = np.linspace(-3.2, 3.2, 39)
    levels = ndtr(z)
    rows = []
    for j, column in enumerate(audio.T):
        column = column[column > 0] if AUDIO_FEATURES[j] == "instrumentalness" else column
        knots = np.r_[0, np.quantile(column, levels), 1]
        knots = np.maximum.accumulate(knots + 1e-7 * np.arange(41))
        rows.append(knots / knots[-1])
    return np.r_[-6, z, 6], np.array(rows)


def fit_audio(z: np.ndarray, silent: np.ndarray, era: np.ndarray) -> dict[str, list]:
    """Six Gaussians, the first three for songs with no instrumentalness, and years on top of them.

    z (n, 6) normal scores of audio, era (n,) normal scores of the year, all of one genre.
    """
    out: dict[str, list] = {"weights": [], "means": [], "factors": [], "year_trend": []}
    for chosen, axes in ((silent, [0, 1, 2, 4, 5]), (~silent, [0, 1, 2, 3, 4, 5])):
        x, t = z[chosen][:, axes], era[chosen]
        mixture = GaussianMixture(3, reg_covar=0.01, n_init=3, random_state=0).fit(x)
        member = mixture.predict(x)
        for k in range(3):
            mean, factor = np.zeros(6), np.zeros((6, 6))
            mean[axes] = mixture.means_[k]
            low = np.linalg.cholesky(mixture.covariances_[k])
            factor[np.ix_(axes, axes)] = low
            e = np.linalg.solve(low, (x[member == k] - mixture.means_[k]).T).T
            design = np.c_[np.ones(len(e)), e]
            slope = np.linalg.lstsq(design, t[member == k], rcond=None)[0]
            trend = np.zeros(8)
            trend[np.r_[0, 1 + np.array(axes)]] = slope
            trend[7] = np.std(t[member == k] - design @ slope)
            out["weights"].append(mixture.weights_[k] * chosen.mean())
            out["means"].append(mean)
            out["factors"].append(factor)
            out["year_trend"].append(trend)
    return out


def derive(songs: pd.DataFrame) -> dict:
    """The constants of `genre_lib/data/synthetic.json`: summaries of real songs by genre."""
    genre = songs["genre"].to_numpy()
    scores = songs[list(TOPIC_FEATURES)].to_numpy()
    words = 1 / (synthetic.N_LDA * scores.min(1, keepdims=True)) - 1
    counts = np.clip(scores * (words + 1) - 1 / synthetic.N_LDA, 0, None)
    counts = np.c_[counts, np.clip(words[:, 0] - counts.sum(1), 0, None)]
    length = strip_footer(songs["lyrics"]).str.split().str.len()

    audio = songs[list(AUDIO_FEATURES)].to_numpy()
    curve_z, curve_x = audio_curves(audio)
    z = np.column_stack([np.interp(audio[:, j], curve_x[j], curve_z) for j in range(6)])
    silent = audio[:, AUDIO_FEATURES.index("instrumentalness")] == 0

    pairs = np.zeros((len(GENRES), len(GENRES)))
    for _, filed in songs.groupby("artist_name")["genre"]:
        v = filed.value_counts().reindex(GENRES, fill_value=0).to_numpy()
        pairs += np.outer(v, v) / v.sum()
    np.fill_diagonal(pairs, 0)
    catalogue = np.sort(songs["artist_name"].value_counts().to_numpy())
    levels = np.array([0, 0.4, 0.5, 0.65, 0.75, 0.85, 0.9, 0.95, 0.98, 0.99, 0.999, 1])

    out: dict[str, list] = {"alpha": [], "lengths": [], "years": []}
    for name in GENRES:
        chosen = genre == name
        out["alpha"].append(fit_dirichlet(counts[chosen]))
        knots = np.quantile(length[chosen], np.linspace(0, 1, 21)) + 0.5
        out["lengths"].append(np.r_[1, knots[1:-1], 198])
        year = songs["release_date"].to_numpy()[chosen]
        out["years"].append(np.quantile(year + 0.5, np.linspace(0, 1, 21)))
        era = ndtri((rankdata(year) - 0.5) / len(year))
        for key, value in fit_audio(z[chosen], silent[chosen], era).items():
            out.setdefault(key, []).append(value)
    out |= {
        "shares": [np.mean(genre == name) for name in GENRES],
        "curve_z": curve_z, "curve_x": curve_x, "mixed_pairs": pairs,
        "artist_levels": levels,
        "artist_songs": np.quantile(catalogue, levels) + 0.5,
    }  # fmt: skip
    return {
        "about": "Summaries of the real songs; made by benchmarks/calibrate_synthetic.py --derive",
        "songs": len(songs),
        "constants": {k: rounded(np.array(v), 8 if k == "curve_x" else 4) for k, v in out.items()},
    }


def rounded(values: np.ndarray, digits: int) -> list:
    """Nested lists of short numbers."""
    return np.round(values, digits).tolist()


# --- the comparison ------------------------------------------------------------------------------


def accuracies(songs: pd.DataFrame, split: str, seed: int) -> dict[str, float]:
    """Test accuracy of every peer of the course after one split ("song" or "artist")."""
    parts = split_songs(songs, split, seed)
    train, test = pd.concat([parts.train, parts.validation]), parts.test
    kept = [part.assign(lyrics=part["lyrics"] + " .") for part in (train, test)]  # hides the footer
    answers = {name: peer(train, test) for name, (_, peer) in BASELINES.items()} | {
        "TF-IDF + logistic regression, footer kept": tfidf(*kept),
        "LightGBM, 6 audio scores": boosting(train, test, AUDIO_FEATURES),
        "LightGBM, 16 topics": boosting(train, test, TOPIC_FEATURES),
    }
    genre = pd.Categorical(test["genre"], categories=GENRES).codes
    return {name: float((found.argmax(axis=1) == genre).mean()) for name, found in answers.items()}


def main() -> None:
    """Compare, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--derive", action="store_true", help="make the constants anew first")
    options = parser.parse_args()
    real = load_songs()
    if "synthetic" in real.attrs["source"]:
        parser.error("set GENRE_SONGS to the file of real songs")
    if options.derive:
        text = json.dumps(derive(real), separators=(",", ":")) + "\n"
        Path(synthetic.__file__).with_suffix(".json").write_text(text, encoding="utf-8")

    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        synthetic.make_songs(28_372)
        seconds.append(round(time.perf_counter() - start, 2))

    rows = []
    for seed in range(SEEDS):
        made = synthetic.make_songs(len(real), seed)
        for split in ("song", "artist"):
            found = {
                "real": accuracies(real, split, seed),
                "synthetic": accuracies(made, split, seed),
            }
            rows += [
                {"split": split, "seed": seed, "model": model}
                | {kind: scores[model] for kind, scores in found.items()}
                for model in found["real"]
            ]
            print(f"seed {seed}, split by {split}: done", flush=True)
    table = pd.DataFrame(rows).groupby(["split", "model"], sort=False)[["real", "synthetic"]].mean()
    table["difference"] = table["synthetic"] - table["real"]
    print((100 * table).round(1).to_string())
    best = {inputs: bayes.bayes_accuracy(inputs) for inputs in bayes.INPUTS}
    print("best possible:", {inputs: f"{accuracy:.1%}" for inputs, accuracy in best.items()})
    print("seconds for 28,372 songs:", seconds)
    write_result(
        Path(__file__).parent / "results" / "synthetic.json",
        "python benchmarks/calibrate_synthetic.py",
        real.attrs["source"],
        len(real),
        synthetic_songs="make_songs(rows, split seed)",
        accuracy=table.reset_index().to_dict("records"),
        bayes_accuracy=best,
        seconds_for_28372_songs=seconds,
    )


if __name__ == "__main__":
    main()
