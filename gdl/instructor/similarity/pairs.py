"""How much two students' answers have in common that few others have."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from gdl.instructor.similarity.fingerprint import Fingerprint

PRIOR = 10  # sequences: so many that differ are added to each pair, so that two very short answers are not called alike


@dataclass(frozen=True)
class Pair:
    """Two students, by their places in the class, with a score from 0 to 1 for all answers and for each question by its name."""

    first: int
    second: int
    score: float
    by_question: Mapping[str, float]


def nearest_pairs(students: Sequence[Mapping[str, Fingerprint]], known: Mapping[str, Fingerprint]) -> list[Pair]:
    """All pairs of a class, the most alike first.

    students: for each student the fingerprints of the answers by the names of the questions. known: what the course itself gives or answers,
    by question; what is in there counts for nothing. The score of a pair is the weight of the sequences that both have, divided by the weight
    of those that one of them has. The weight of a sequence is the logarithm of the number of students divided by the number who have it, so
    what all write counts for little. There are ten more sequences in the divisor.
    """
    how_many = len(students) + 1
    owners = Counter((name, part) for student in students for name, found in student.items() for part in found)
    weights = {place: math.log(how_many / count) for place, count in owners.items() if place[1] not in known.get(place[0], ())}
    prior = PRIOR * math.log(how_many / min(2, how_many - 1)) if students else 0
    pairs = []
    for first, second in combinations(range(len(students)), 2):
        common, either, by_question = 0.0, 0.0, {}
        for name in students[first].keys() | students[second].keys():
            a, b = students[first].get(name, Counter()), students[second].get(name, Counter())
            both = sum(weights.get((name, part), 0) * count for part, count in (a & b).items())
            one = sum(weights.get((name, part), 0) * count for part, count in (a | b).items())
            by_question[name] = both / (one + prior)
            common, either = common + both, either + one
        pairs.append(Pair(first, second, common / (either + prior), by_question))
    return sorted(pairs, key=lambda pair: (-pair.score, pair.first, pair.second))
