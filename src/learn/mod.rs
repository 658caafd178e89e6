//! Learning from a user's own rated conversations and labelled turns: linear models only, so that every weight can be
//! read, explained and mended by hand.
//!
//! [`design`] holds the examples as a sparse matrix, [`ridge`] and [`logistic`] fit weights to it, [`folds`] deals the
//! examples out for cross-validation, [`statistics`] says how well predictions agree with people, [`threshold`] from where they count. [`satisfaction`] and
//! [`markers`] put them together. Everything is deterministic: folds come from the conversations' ids and a seed, sums
//! run in a fixed order, and threads only work on whole folds.

pub mod design;
pub mod folds;
pub mod logistic;
pub mod markers;
pub mod ridge;
pub mod satisfaction;
pub mod statistics;
pub mod threshold;
