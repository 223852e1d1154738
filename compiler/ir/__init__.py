"""The intermediate representation: types, the graph, and what builds, orders and checks it."""
