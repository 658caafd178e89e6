//! zhijian (质检): quality inspection of Chinese customer-service transcripts.
#![forbid(unsafe_code)]

pub mod conversation;
pub mod diagnostic;
pub mod error;
pub mod span;
pub mod text;
