//! zhijian (质检): offline, deterministic, explainable quality inspection of Chinese customer-service transcripts.
//!
//! # A tour
//!
//! A [`pack`] says what to look for: *markers* tell what a turn does (greets, soothes, lures away from the platform),
//! *rules* tell what should have been done when, and what it costs. An [`engine::Engine`] is a compiled pack. It is shared
//! by all threads; each thread keeps an [`engine::Scratch`] whose buffers are used again for every conversation.
//!
//! ```
//! use zhijian::conversation::{Conversation, Role, Turn};
//! use zhijian::engine::{Engine, EngineOptions, Scratch};
//! use zhijian::pack::Pack;
//!
//! # fn main() -> zhijian::error::Result<()> {
//! let engine = Engine::new(Pack::default_pack()?, EngineOptions::default())?;
//!
//! let conversation = Conversation {
//!     id: "C1".into(),
//!     agent_id: Some("a01".into()),
//!     turns: vec![
//!         Turn::new(Role::Customer, "能便宜点吗"),
//!         Turn::new(Role::Agent, "您好，亲加 薇❤️信 聊，给您优惠"),
//!     ],
//!     ..Conversation::default()
//! };
//!
//! let mut scratch = Scratch::default();
//! let inspection = engine.inspect(&conversation, &mut scratch);
//!
//! // Which turn carries which marker.
//! let greeting = engine.pack().marker("greeting").unwrap();
//! assert!(inspection.hits.has(1, greeting));
//!
//! // What was found, with the original words it rests on.
//! let agent = &inspection.agents[0];
//! let finding = agent.judgement.findings.iter().find(|f| engine.pack().rules[f.rule].id == "off-platform").unwrap();
//! assert_eq!(finding.turn, 1);
//! assert_eq!(finding.span.slice(&conversation.turns[1].text), "薇❤️信 聊，给您优惠");
//!
//! // One critical finding is enough: the score is 0, the raw score is kept (both in milli-points).
//! let score = agent.score.as_ref().unwrap();
//! assert!(score.critical && score.score == 0 && score.raw > 0);
//! # Ok(())
//! # }
//! ```
//!
//! A night is run by [`pipeline::Run`]: it takes blocks of records from an [`input::Reader`], inspects them on all cores,
//! has each conversation written by a [`pipeline::Format`] in input order, and gives back a [`score::Aggregate`], from which
//! [`report`] derives figures, scorecards and coaching reports. Aggregates of parts merge to that of the whole.
//!
//! # How it holds together
//!
//! Data flows `input → text → detect → metrics → judge → score → report → store` and never back. [`detect`], [`judge`] and
//! [`score`] are pure functions of their arguments. Places are [`span::Span`]s in bytes of the original text, whatever view
//! of it a pattern matched. Faults of a pack are collected as [`diagnostic::Diagnostic`]s, faults of records as
//! [`input::Reject`]s; an [`error::Error`] is only what ends a run. The library never prints.
#![forbid(unsafe_code)]

pub mod caught;
pub mod conversation;
pub mod detect;
pub mod diagnostic;
pub mod engine;
pub mod error;
pub mod examples;
pub mod explain;
pub mod input;
pub mod judge;
pub mod layout;
pub mod learn;
pub mod metrics;
pub mod pack;
pub mod partial;
pub mod pipeline;
pub mod report;
pub mod review;
pub mod score;
pub mod span;
pub mod store;
pub mod text;
pub mod tools;
pub mod trace;
