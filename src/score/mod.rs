//! From findings to scores, and from scores to figures of agents and rules.
//!
//! All sums are integers (counts, milli-points, exact histogram bins) so that partial results merge to the same bytes in
//! any order; rates and intervals are derived at the end.

pub mod aggregate;
pub mod burst;
mod card;
pub mod compare;
pub mod contacts;
pub mod histogram;
pub mod partial;
mod replace;
pub mod service;
pub mod statistics;
pub mod top;
pub mod words;

pub use aggregate::Aggregate;
pub use card::{AgentScore, DimensionScore, conversation_score, score};
