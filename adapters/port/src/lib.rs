//! The contract that every adapter fulfils.
//!
//! Adapters do no input or output of their own. A file format reads from a stream or a package of named streams and
//! writes to a sink; a conversation yields HTTP requests and takes responses. The gateway's transports carry both
//! out. What an adapter reads becomes [`tandem_mappings::model::event::NewEvent`]s and [`deviation::Deviation`]s;
//! what it writes is an [`outbound::Outbound`]: the permitted view of something, and no more.

pub mod context;
pub mod conversation;
pub mod deviation;
mod distinct;
pub mod format;
pub mod json;
pub mod memory;
pub mod outbound;
pub mod package;
pub mod read;
pub mod report;
pub mod retry_after;
pub mod text;
pub mod write;
