//! The inventory subgraph, through its graph.
