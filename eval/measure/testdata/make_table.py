"""Makes sklearn-table.csv and sklearn-figures.json: 400 random notes of a small vocabulary and the figures that
scikit-learn gives for them. Run with Debian's python3-sklearn:  /usr/bin/python3 make_table.py"""
import csv, json, random
import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, precision_recall_fscore_support

random.seed(11)
codes = [f"{c}{i:02d}.{j}" for c in "AEIJ" for i in (10, 11, 12) for j in range(4)]
rows, gold, shown = [], [], []
for n in range(400):
    g = set(random.sample(codes, random.randint(0, 6)))
    order = random.sample(codes, len(codes))
    order.sort(key=lambda c: random.random() - (0.6 if c in g else 0))
    s = [(c, round(max(0.01, min(0.99, random.betavariate(5, 2) if c in g else random.betavariate(2, 3))), 4)) for c in order[:random.randint(0, 8)]]
    s.sort(key=lambda x: -x[1])
    gold.append(g), shown.append(s)
    rows.append([n, " ".join(sorted(g)), " ".join(f"{c}={p}" for c, p in s)])
with open("sklearn-table.csv", "w", newline="") as f:
    csv.writer(f).writerows([["note", "gold", "shown"]] + rows)

def matrix(sets, labels):
    return np.array([[label in s for label in labels] for s in sets], dtype=int)

def prf(g, s, labels, average):
    p, r, f, _ = precision_recall_fscore_support(matrix(g, labels), matrix(s, labels), average=average, zero_division=0)
    return [p, r, f]

names = [{c for c, _ in s} for s in shown]
used = sorted(set().union(*gold, *names))
category = lambda sets: [{c[:3] for c in s} for s in sets]
chapter = lambda sets: [{c[0] for c in s} for s in sets]
fig = {"sklearn": sklearn.__version__}
for key, v in (("micro", prf(gold, names, used, "micro")), ("macro", prf(gold, names, used, "macro")),
               ("category", prf(category(gold), category(names), sorted({c[:3] for c in used}), "micro")),
               ("chapter", prf(chapter(gold), chapter(names), list("AEIJ"), "micro"))):
    for k, x in zip(("precision", "recall", "f1"), v):
        fig[f"{key}_{k}"] = x
y = [c in g for g, s in zip(gold, shown) for c, _ in s]
p = [p for s in shown for _, p in s]
fig["brier"] = brier_score_loss(y, p)
ap = []
for g, s in zip(gold, shown):
    if g:  # scikit-learn ranks what it is given; what is missing from the list counts as never found
        hit = [c in g for c, _ in s]
        ap.append(average_precision_score(hit, [-i for i in range(len(s))]) * sum(hit) / len(g) if any(hit) else 0.0)
fig["map"] = float(np.mean(ap))
fig["kappa"] = cohen_kappa_score([c in g for g in gold for c in codes], [c in s for s in names for c in codes])
json.dump(fig, open("sklearn-figures.json", "w"), indent=1)
