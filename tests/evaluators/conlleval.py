"""conlleval as the shared tasks' script has it (Tjong Kim Sang 2004): its rules one by one, over one stream of words.

Written from the script's rules, without a look at dlspec.numeric.chunks: where a chunk ends and where one begins are
asked apart, of each pair of neighbouring tags, and counts go up as a chunk ends in truth and guess at once.
"""


def split(tag):
    letter, _, kind = tag.partition("-")
    return letter, kind


def ends(before, tag, kind_before, kind):
    return (
        (before in "BI" and tag in "BSO")
        or before in ("E", "S")
        or (before != "O" and kind_before != kind)
    )  # fmt: skip


def begins(before, tag, kind_before, kind):
    return (
        tag in ("B", "S")
        or (before in ("E", "S", "O") and tag in ("E", "I"))
        or (tag != "O" and kind_before != kind)
    )  # fmt: skip


def conlleval(truths, guesses):
    """Sentences with blanks between tags → scores over all types; and type → (true, said, right)."""
    stream = [
        pair
        for t, g in zip(truths, guesses, strict=True)
        for pair in [*zip(t.split(), g.split(), strict=True), ("O", "O")]
    ]
    words = sum(len(one.split()) for one in truths)
    true, said, right = {}, {}, {}
    inside, last = False, (("O", ""), ("O", ""))
    same = 0
    for t, g in stream:
        now = split(t), split(g)
        (bt, bkt), (bg, bkg) = last
        (nt, nkt), (ng, nkg) = now
        ended = ends(bt, nt, bkt, nkt), ends(bg, ng, bkg, nkg)
        begun = begins(bt, nt, bkt, nkt), begins(bg, ng, bkg, nkg)
        if inside:
            if all(ended):
                right[bkt] = right.get(bkt, 0) + 1
                inside = False
            elif ended[0] != ended[1] or nkt != nkg:
                inside = False
        if all(begun) and nkt == nkg:
            inside = True
        if begun[0]:
            true[nkt] = true.get(nkt, 0) + 1
        if begun[1]:
            said[nkg] = said.get(nkg, 0) + 1
        same += t == g
        last = now
    hits, all_said, all_true = (sum(one.values()) for one in (right, said, true))
    share = lambda part, whole: part / whole if whole else float("nan")  # noqa: E731
    scores = {
        "precision": share(hits, all_said),
        "recall": share(hits, all_true),
        "f1": share(2 * hits, all_said + all_true),
        "token_accuracy": share(same - len(truths), words),
    }
    return scores, {one: (true.get(one, 0), said.get(one, 0), right.get(one, 0)) for one in true.keys() | said.keys()}
