//! Only the test binary `it` lives here.
