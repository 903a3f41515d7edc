//! The catalog subgraph, through its graph.
