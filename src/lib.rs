//! zhijian (质检): quality inspection of Chinese customer-service transcripts.
#![forbid(unsafe_code)]

pub mod conversation;
pub mod detect;
pub mod diagnostic;
pub mod engine;
pub mod error;
pub mod examples;
pub mod input;
pub mod judge;
pub mod layout;
pub mod learn;
pub mod metrics;
pub mod pack;
pub mod pipeline;
pub mod report;
pub mod score;
pub mod span;
pub mod text;
