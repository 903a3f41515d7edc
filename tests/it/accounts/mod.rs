//! The accounts subgraph, through its graph.
