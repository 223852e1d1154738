"""Matrix products."""

from support.ops import Given, Random, op_row

A, B = Random((None, 6)), Random((6, 4))

ROWS = [
    op_row("Gemm", A, B, formula=lambda a, b: a @ b),
    op_row("Gemm", A, B, Random((4,)), formula=lambda a, b, c: a @ b + c),
    op_row("Gemm", A, Random((4, 6)), Random((4,)), transB=1),
    op_row("Gemm", A, Random((4, 6)), None, transB=1),
    op_row("Gemm", Random((6, None)), B, Random((None, 4)), transA=1),
    op_row("Gemm", Random((6, None)), Random((4, 6)), Given(0.3), transA=1, transB=1),
    op_row("Gemm", A, B, Random((None, 1)), alpha=0.5),
    op_row("Gemm", A, B, Random((1, 4)), alpha=-2.0, beta=0.25),
    op_row("Gemm", A, B, Random((4,)), beta=0.0),
    op_row("MatMul", A, B),
    op_row("MatMul", Random((None, 3, 6)), B),
    op_row("MatMul", Random((None, 2, 3, 6)), B),
    op_row("MatMul", Random((None, 2, 3, 6)), Random((None, 2, 6, 4))),
    op_row("MatMul", Random((None, 2, 3, 6)), Random((2, 6, 4))),
    op_row("MatMul", Random((None, 1, 3, 6)), Random((5, 6, 4))),
    op_row("MatMul", A, Random((5, 6, 4)), formula=lambda a, b: a @ b),
    op_row("MatMul", Random((6,)), Random((None, 6, 4))),
    op_row("MatMul", Random((None, 3, 6)), Random((6,))),
    op_row("MatMul", Random((6,)), Random((6,))),
    op_row("Einsum", A, B, equation="ij,jk->ik"),
    op_row("Einsum", Random((None, 2, 3, 4)), Random((None, 2, 5, 4)), equation="bhqd,bhkd->bhqk"),
    op_row("Einsum", Random((None, 2, 3)), Random((3, 4)), equation="...i,ij->...j"),
    op_row("Einsum", Random((None, 1, 2, 3)), Random((1, 4, 3, 2)), equation="...ij,...jk->...ik"),
    op_row("Einsum", Random((None, 3, 4)), equation="bij->bji"),
    op_row("Einsum", Random((None, 3, 4)), equation="bij->b"),
    op_row("Einsum", Random((None, 3, 3)), equation="bii->bi"),
    op_row("Einsum", Random((None, 3, 3)), equation="bii"),
    op_row("Einsum", Random((3,)), Random((None,)), equation="i,j->ij"),
    op_row("Einsum", A, B, Random((4,)), equation="ij,jk,k->i"),
    op_row("Einsum", Random((None, 3)), Random((5,)), equation="bi,j->bi"),
    op_row("Einsum", Random((None, 3)), equation="..."),
    op_row("Einsum", Random((None, 2, 3)), Random((None, 2)), equation="n...i,n...->i...n"),
]
