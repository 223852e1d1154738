"""Symbolic extents: integers or small polynomials in named symbols, with floor division."""

from collections.abc import Mapping
from dataclasses import field
from functools import total_ordering
from math import gcd

from ...grammar.records import record


@total_ordering
@record
class Symbol:
    """An extent that only a concrete input determines, such as the batch `N`.

    One without a name, which prints as `?`, is distinguished from all others by its token.
    """

    name: str
    token: object = None

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self.name

    def __lt__(self, other: object) -> bool:
        return str(self) < str(other)


@total_ordering
@record
class FloorQuotient:
    """`floor(numerator / divisor)` where the division does not come out.

    Its text says all, so texts are compared: numerators hold quotients, and may nest deep.
    """

    numerator: "Polynomial" = field(compare=False)
    divisor: int = field(compare=False)
    text: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        numerator = str(self.numerator)
        if not numerator.isidentifier():
            numerator = f"({numerator})"
        object.__setattr__(self, "text", f"{numerator}//{self.divisor}")

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self.text

    def __lt__(self, other: object) -> bool:
        return str(self) < str(other)


Atom = Symbol | FloorQuotient
Monomial = tuple[Atom, ...]  # sorted, with multiplicity; () is the constant term


@record
class Polynomial:
    """A non-constant polynomial; `terms` holds (monomial, coefficient), sorted, no zeros.

    Two polynomials that are equal for all symbols' values have equal terms, as far as the
    identities floor((p + c k) / k) = c + floor(p / k) and floor(floor(p / a) / b) =
    floor(p / (a b)) show.
    """

    terms: tuple[tuple[Monomial, int], ...]

    def __add__(self, other: "Dim") -> "Dim":
        total = dict(self.terms)
        for monomial, coefficient in _terms(other):
            total[monomial] = total.get(monomial, 0) + coefficient
        return _canonical(total)

    def __mul__(self, other: "Dim") -> "Dim":
        product: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in _terms(other):
                monomial = tuple(sorted(left + right))
                product[monomial] = product.get(monomial, 0) + a * b
        return _canonical(product)

    def __floordiv__(self, divisor: int) -> "Dim":
        whole = {m: c // divisor for m, c in self.terms}
        rest = _canonical({m: c % divisor for m, c in self.terms})
        if isinstance(rest, int):
            return _canonical(whole)
        return _canonical(whole) + _quotient(rest, divisor)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "Dim":
        return self * -1

    def __sub__(self, other: "Dim") -> "Dim":
        return self + -other

    def __rsub__(self, other: "Dim") -> "Dim":
        return -self + other

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        text = " + ".join(_spell(m, c) for m, c in sorted(self.terms, key=_reading_order))
        return text.replace("+ -", "- ")


Dim = int | Polynomial

LONGEST_FORMULA = 250  # characters of a formula


def symbol(name: str) -> Polynomial:
    """The extent that is named and not known."""
    return Polynomial((((Symbol(name),), 1),))


BATCH = symbol("N")
UNNAMED = "?"


def unknown() -> Polynomial:
    """An extent that nothing is known of, as where it depends on data: equal to itself alone."""
    return Polynomial((((Symbol(UNNAMED, object()),), 1),))


def is_unknown(dim: Dim) -> bool:
    """Whether an extent depends on one that nothing is known of."""
    return isinstance(dim, Polynomial) and any(
        isinstance(atom, Symbol) and atom.token is not None
        for monomial, _ in dim.terms
        for atom in monomial
    )


def counts_samples(dim: Dim) -> bool:
    """Whether an extent is the batch or a multiple of it, as windows multiply it."""
    return isinstance(dim, Polynomial) and all(Symbol("N") in m for m, _ in dim.terms)


def is_long(dim: Dim) -> bool:
    """Whether an extent's formula has grown beyond what is worth computing with."""
    if isinstance(dim, int) or (len(dim.terms) == 1 and isinstance(dim.terms[0][0][0], Symbol)):
        return False
    return len(str(dim)) > LONGEST_FORMULA


def equal(a: Dim, b: Dim) -> bool | None:
    """Whether two extents are equal: yes, no, or None where that depends on the input.

    Extents are not negative, so a difference whose coefficients share a sign and whose constant
    term is not zero can never vanish; nor can one whose constant term the greatest common divisor
    of its coefficients does not divide.
    """
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    difference = a - b
    if isinstance(difference, int):
        return difference == 0
    constant = dict(difference.terms).get((), 0)
    coefficients = [c for m, c in difference.terms if m != ()]
    signs = [c > 0 for c in (constant, *coefficients)]
    never = constant != 0 and (all(signs) or not any(signs))
    return False if never or constant % gcd(*coefficients) else None


def substitute(dim: Dim, values: Mapping[str, int], *, others: int | None = None) -> Dim:
    """The extent with known symbols replaced, and on demand all others by one number."""
    if isinstance(dim, int):
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        for atom in monomial:
            term = term * _substitute_atom(atom, values, others)
        total = total + term
    return total


def _substitute_atom(atom: Atom, values: Mapping[str, int], others: int | None) -> Dim:
    if isinstance(atom, FloorQuotient):
        return substitute(atom.numerator, values, others=others) // atom.divisor
    found = others if atom.token is not None else values.get(atom.name, others)
    return Polynomial((((atom,), 1),)) if found is None else found


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    return dim.terms if isinstance(dim, Polynomial) else (((), dim),)


def _canonical(terms: Mapping[Monomial, int]) -> Dim:
    kept = {m: c for m, c in terms.items() if c}
    if not kept:
        return 0
    if list(kept) == [()]:
        return kept[()]
    return Polynomial(tuple(sorted(kept.items())))


def _quotient(numerator: Polynomial, divisor: int) -> Dim:
    """`floor(numerator / divisor)`, with an inner floor division merged into one.

    Quotients are compared by their texts, so that of an unknown extent is another one.
    """
    if is_unknown(numerator):
        return unknown()
    constant = dict(numerator.terms).get((), 0)
    inner = [(m, c) for m, c in numerator.terms if m != ()]
    if len(inner) == 1 and inner[0][1] == 1 and len(inner[0][0]) == 1:
        atom = inner[0][0][0]
        if isinstance(atom, FloorQuotient):
            return (atom.numerator + constant * atom.divisor) // (atom.divisor * divisor)
    return Polynomial((((FloorQuotient(numerator, divisor),), 1),))


def _reading_order(term: tuple[Monomial, int]) -> tuple[int, list[tuple[bool, str]]]:
    """Terms of higher degree first, the constant last; among equals, quotients first."""
    return -len(term[0]), [(isinstance(atom, Symbol), str(atom)) for atom in term[0]]


def _spell(monomial: Monomial, coefficient: int) -> str:
    if not monomial:
        return str(coefficient)
    alone = len(monomial) == 1 and coefficient == 1
    factors = "*".join(
        f"({atom})" if isinstance(atom, FloorQuotient) and not alone else str(atom)
        for atom in monomial
    )
    return {1: factors, -1: f"-{factors}"}.get(coefficient, f"{coefficient}*{factors}")
